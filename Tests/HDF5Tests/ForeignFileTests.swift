import Foundation
import HDF5
import Testing

/// Files that h5py wrote, as users have them.
@Suite(.enabled(if: Python.isAvailable, "no Python with h5py; set APUS_PYTHON"))
struct ForeignFileTests {
  let scratch: Scratch
  let path: String

  init() throws {
    scratch = try Scratch()
    path = scratch.path("foreign.h5")
  }

  private func make(_ script: String) throws {
    try Python.text(
      "with h5py.File(sys.argv[1], 'w') as f:\n  x = numpy.arange(60).reshape(20, 3)\n  " + script, [path])
  }

  private static let expected = (0..<60).map { Float($0) }

  @Test(arguments: [
    "", ", chunks=(7, 3)", ", chunks=(7, 2)", ", chunks=True, compression='gzip'",
    ", chunks=(7, 3), shuffle=True, compression=9, fletcher32=True", ", maxshape=(None, 3)", ", maxshape=(None, None)",
  ])
  func layouts(options: String) throws {
    for type in ["<f4", ">f4"] {
      try make("f.create_dataset('features', data=x.astype('\(type)')\(options))")
      let dataset = try HDF5File.open(path).dataset(named: "features")
      #expect(dataset.elementType == .float32)
      #expect(dataset.shape == [20, 3])
      #expect(try dataset.values(as: Float.self) == Self.expected)
      for step in [1, 3, 20] {
        var read: [Float] = []
        for row in stride(from: 0, to: 20, by: step) { read += try dataset.rows(row..<min(20, row + step)) }
        #expect(read == Self.expected)
      }
    }
  }

  @Test(arguments: [
    ("<f8", ElementType.float64), (">f8", .float64), ("u1", .uint8), (">i2", .int16), ("<i4", .int32), (">i8", .int64),
    ("u8", .uint64), ("f2", .other("float16")),
  ])
  func numbersAreConverted(type: String, expected: ElementType) throws {
    try make("f['features'] = x.astype('\(type)')")
    let dataset = try HDF5File.open(path).dataset(named: "features")
    #expect(dataset.elementType == expected)
    #expect(try dataset.converted(0..<20, to: Float.self) == Self.expected)
    #expect(try dataset.converted(3..<5, to: Int.self) == [9, 10, 11, 12, 13, 14])
    #expect(try failure { _ = try dataset.rows(0..<1, as: Float.self) }.kind == .typeMismatch)
  }

  @Test func images() throws {
    try make("f['images'] = numpy.arange(2 * 28 * 28, dtype='i8').reshape(2, 28, 28).astype('u1')")
    let dataset = try HDF5File.open(path).dataset(named: "images")
    #expect(dataset.shape == [2, 28, 28])
    #expect(try dataset.converted(1..<2, to: Float.self) == (784..<1568).map { Float($0 % 256) })
  }

  @Test func text() throws {
    try make(
      """
      f['variable'] = ['no', 'yes', 'Blässhuhn']
        f['fixed'] = numpy.array([b'no', b'yes'])
        f.create_dataset('padded', data=numpy.array([b'no ', b'yes']), dtype=h5py.string_dtype('ascii', 3))
        f.attrs['one'] = 'größer'
        f.attrs['many'] = ['a', 'b']
        f.attrs['bytes'] = numpy.bytes_('abc')
        f.attrs['big'] = numpy.uint64(2**64 - 1)
        f.attrs['small'] = numpy.uint64(7)
        f.attrs['half'] = numpy.float16(0.5)
        f.attrs['grid'] = numpy.arange(4, dtype='>i2').reshape(2, 2)
        f.attrs['empty'] = h5py.Empty('f4')
        f['null'] = h5py.Empty('f4')
      """)
    let file = try HDF5File.open(path)
    #expect(try file.dataset(named: "variable").strings() == ["no", "yes", "Blässhuhn"])
    #expect(try file.dataset(named: "fixed").strings() == ["no", "yes"])
    #expect(try file.dataset(named: "padded").strings() == ["no ", "yes"])
    #expect(try file.attribute(named: "one") == .string("größer"))
    #expect(try file.attribute(named: "many") == .strings(["a", "b"]))
    #expect(try file.attribute(named: "bytes") == .string("abc"))
    #expect(try failure { _ = try file.attribute(named: "big") }.kind == .typeMismatch)
    #expect(try file.attribute(named: "small") == .integer(7))
    #expect(try file.attribute(named: "grid") == .integers([0, 1, 2, 3]))
    #expect(try file.attribute(named: "half") == .number(0.5))
    #expect(try file.attribute(named: "empty") == .numbers([]))
    #expect(try file.dataset(named: "null").shape == [0])
    #expect(try file.dataset(named: "null").rows(0..<0, as: Float.self) == [])
  }

  @Test func typesThatAreNotNumbers() throws {
    try make(
      """
      f['bool'] = numpy.array([True, False])
        f['compound'] = numpy.zeros(2, dtype=[('a', 'f4'), ('b', 'i4')])
        f['complex'] = numpy.zeros(2, dtype='c8')
        f['ragged'] = numpy.zeros(1)
        f.create_dataset('sequence', (2,), dtype=h5py.vlen_dtype('f4'))
      """)
    let file = try HDF5File.open(path)
    for name in ["bool", "compound", "complex", "sequence"] {
      let error = try failure { _ = try file.dataset(named: name).converted(0..<1, to: Float.self) }
      #expect(error.kind == .typeMismatch, "\(error)")
    }
  }

  @Test func singleValue() throws {
    try make("f['features'] = numpy.float32(1.5)")
    let dataset = try HDF5File.open(path).dataset(named: "features")
    #expect(dataset.shape == [])
    #expect(try dataset.values(as: Float.self) == [1.5])
    #expect(try failure { _ = try dataset.rows(0..<1, as: Float.self) }.kind == .typeMismatch)
  }

  /// Small data sets that were never written are zeros, not an attack.
  @Test func neverWritten() throws {
    try make("f.create_dataset('features', (50, 3), 'f4', chunks=(7, 3), fillvalue=2)")
    #expect(
      try HDF5File.open(path).dataset(named: "features").rows(0..<50, as: Float.self) == Array(repeating: 2, count: 150)
    )
  }

  @Test func userBlock() throws {
    try Python.text(
      "f = h5py.File(sys.argv[1], 'w', userblock_size=1024); f['features'] = numpy.ones(3, 'f4'); f.close()", [path])
    #expect(try HDF5File.open(path).dataset(named: "features").values(as: Float.self) == [1, 1, 1])
  }

  /// A writer of SWMR that died: the file is marked as open, and has its rows.
  @Test func deadWriterThatSharedTheFile() throws {
    try Python.text(
      """
      f = h5py.File(sys.argv[1], 'w', libver=('v110', 'v110'))
      d = f.create_dataset('features', data=numpy.ones((20, 3), 'f4'), chunks=(7, 3), maxshape=(None, 3))
      f.swmr_mode = True
      d.flush()
      os._exit(0)
      """, [path])
    #expect(
      try HDF5File.open(path).dataset(named: "features").rows(0..<20, as: Float.self) == Array(repeating: 1, count: 60))
  }

  @Test func deadWriter() throws {
    try Python.text(
      """
      f = h5py.File(sys.argv[1], 'w', libver=('v110', 'v110'))
      f['features'] = numpy.ones((20, 3), 'f4')
      f.flush()
      os._exit(0)
      """, [path])
    let error = try failureOpening(path)
    #expect(error.kind == .unclosed)
    #expect(error.message.hasSuffix("repair it with: h5clear -s '\(path)'"))
  }
}

/// What we write, read by others.
@Suite struct ExportTests {
  private func write(_ path: String) throws {
    let file = try HDF5File.create(path)
    try file.setAttribute("made_by", to: .string("apus"))
    let features = try file.createDataset(
      named: "features", type: .float32, shape: [20, 3], chunk: [7, 3],
      filters: Filters(deflate: 4, shuffle: true, fletcher32: true))
    try features.write((0..<60).map { Float($0) })
    try features.setAttribute("scales", to: .numbers([0.5, 2]))
    let targets = try file.createDataset(
      named: "targets", type: .int32, shape: [20], filters: Filters(fletcher32: true))
    try targets.write((0..<20).map { Int32($0) })
    try file.createDataset(named: "classes", strings: ["no", "größer"])
    try file.createDataset(named: "columns", strings: ["a", "b", "c"], variableLength: true)
    _ = try file.createDataset(named: "none", type: .float64, shape: [0, 3], filters: Filters(fletcher32: true))
    try file.close()
  }

  @Test(.enabled(if: Python.isAvailable, "no Python with h5py; set APUS_PYTHON"))
  func h5pyReads() throws {
    let scratch = try Scratch()
    let path = scratch.path("ours.h5")
    try write(path)
    let text = try Python.text(
      """
      with h5py.File(sys.argv[1]) as f:
        x = f['features']
        print(x.dtype, x.shape, x.chunks, x.compression, x.shuffle, x.fletcher32, (x[:].ravel() == numpy.arange(60)).all())
        print(f['targets'].dtype, f['targets'].fletcher32, (f['targets'][:] == numpy.arange(20)).all())
        print(list(f['classes'].asstr()), list(f['columns'].asstr()), f['none'].shape)
        print(f.attrs['made_by'], x.attrs['scales'])
      """, [path])
    #expect(
      text == """
        float32 (20, 3) (7, 3) gzip True True True
        int32 True True
        ['no', 'größer'] ['a', 'b', 'c'] (0, 3)
        b'apus' [0.5 2. ]

        """)
  }

  static let h5dump = ["/usr/bin/h5dump", "/usr/local/bin/h5dump"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  @Test(.enabled(if: Self.h5dump != nil, "no h5dump; it is in the package hdf5-tools"))
  func h5dumpReads() throws {
    let scratch = try Scratch()
    let path = scratch.path("ours.h5")
    try write(path)
    let tool = try #require(Self.h5dump)
    let text = try Python.program(tool, ["-d", "/targets", path])
    #expect(text.contains("H5T_STD_I32LE"))
    #expect(text.contains("14, 15, 16, 17, 18, 19"))
    #expect(try Python.program(tool, ["-p", "-H", path]).contains("CHECKSUM FLETCHER32"))
  }
}
