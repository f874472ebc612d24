import Foundation
import HDF5
import Testing

/// Files that would make the library read what it should not.
@Suite struct RefusalTests {
  let scratch: Scratch
  let path: String

  init() throws {
    scratch = try Scratch()
    path = scratch.path("x.h5")
  }

  private func make(_ script: String) throws {
    try Python.text("os.chdir('\(scratch.folder)')\nwith h5py.File(sys.argv[1], 'w') as f:\n  " + script, [path])
  }

  @Test(.enabled(if: Python.isAvailable, "no Python with h5py; set APUS_PYTHON"))
  func links() throws {
    try make(
      """
      f['real'] = numpy.ones(3, 'f4')
        f['group/inside'] = numpy.ones(3, 'f4')
        f['features'] = h5py.SoftLink('/real')
        f['way'] = h5py.SoftLink('/group')
        f['outside'] = h5py.ExternalLink('other.h5', '/real')
        f['dangling'] = h5py.SoftLink('/nothing')
        f['circle'] = h5py.SoftLink('/circle')
        f['hard'] = f['real']
      """)
    try Python.text("h5py.File(sys.argv[1], 'w')['real'] = numpy.ones(3, 'f4')", [scratch.path("other.h5")])
    for (name, what) in [
      ("features", "a soft link"), ("way/inside", "a soft link"), ("outside", "a link to another file"),
      ("dangling", "a soft link"), ("circle", "a soft link"),
    ] {
      let error = try failureOpening(path, name)
      #expect(error.kind == .forbidden)
      #expect(error.message.contains(what), "\(error)")
    }
    let file = try HDF5File.open(path)
    #expect(try failure { _ = try file.group(named: "way") }.kind == .forbidden)
    #expect(try file.dataset(named: "hard").values(as: Float.self) == [1, 1, 1])
    #expect(
      try file.names().filter { $0.kind == .link }.map(\.name) == ["circle", "dangling", "features", "outside", "way"])
  }

  @Test(.enabled(if: Python.isAvailable, "no Python with h5py; set APUS_PYTHON"))
  func externalStorage() throws {
    try make("f.create_dataset('features', (3,), 'f4', external=[('/etc/passwd', 0, 12)])")
    let error = try failureOpening(path)
    #expect(error.kind == .forbidden)
    #expect(error.message.contains("external storage"))
  }

  @Test(.enabled(if: Python.isAvailable, "no Python with h5py; set APUS_PYTHON"))
  func virtualDataSet() throws {
    try make(
      """
      layout = h5py.VirtualLayout((3,), 'f4')
        layout[:] = h5py.VirtualSource('other.h5', 'real', (3,))
        f.create_virtual_dataset('features', layout)
      """)
    let error = try failureOpening(path)
    #expect(error.kind == .forbidden)
    #expect(error.message.contains("a virtual data set"))
    // The library would make up zeros where the source is missing.
    let missing = try failure { _ = try HDF5File.open(path, trusted: true).dataset(named: "features") }
    #expect(missing.kind == .missing && missing.message.contains("takes data from 'other.h5'"), "\(missing)")
    try Python.text("h5py.File(sys.argv[1], 'w')['real'] = numpy.array([1, 2, 3], 'f4')", [scratch.path("other.h5")])
    #expect(try HDF5File.open(path, trusted: true).dataset(named: "features").values(as: Float.self) == [1, 2, 3])
  }

  @Test(.enabled(if: Python.isAvailable, "no Python with h5py; set APUS_PYTHON"))
  func trustedFiles() throws {
    try Python.text("h5py.File(sys.argv[1], 'w')['real'] = numpy.array([4, 5], 'f4')", [scratch.path("other.h5")])
    _ = try scratch.write([0, 0, 0x80, 0x3F], to: "one.raw")
    try make(
      """
      f['group/inside'] = numpy.array([2, 3], 'f4')
        f['way'] = h5py.SoftLink('/group')
        f['outside'] = h5py.ExternalLink('other.h5', '/real')
        f['dangling'] = h5py.SoftLink('/nothing')
        f['circle'] = h5py.SoftLink('/circle')
        f.create_dataset('raw', (1,), 'f4', external=[('one.raw', 0, 4)])
      """)
    let file = try HDF5File.open(path, trusted: true)
    #expect(try file.dataset(named: "way/inside").values(as: Float.self) == [2, 3])
    #expect(try file.dataset(named: "outside").values(as: Float.self) == [4, 5])
    #expect(try file.names().first { $0.name == "outside" }?.kind == .dataset)
    for name in ["dangling", "circle"] { _ = try failure { _ = try file.dataset(named: name) } }
  }

  @Test(
    .enabled(if: Python.isAvailable, "no Python with h5py; set APUS_PYTHON"),
    arguments: [
      ("compression='lzf'", "lzf"), ("scaleoffset=2", "scaleoffset"),
      ("compression=32015, allow_unknown_filter=True", "zstd"), ("compression=4711, allow_unknown_filter=True", "''"),
    ])
  func filters(options: String, name: String) throws {
    try make("f.create_dataset('features', (200, 3), 'f4', chunks=(7, 3), \(options))")
    let error = try failureOpening(path)
    #expect(error.kind == .filter)
    #expect(error.message.contains("uses the filter \(name) (number"), "\(error)")
  }

  /// 64 MiB of zeros in some 70 KB.
  @Test func compressedBomb() throws {
    let file = try HDF5File.create(path)
    let dataset = try file.createDataset(
      named: "features", type: .float32, shape: [1 << 24], chunk: [1 << 22], filters: Filters(deflate: 9))
    let zeros = [Float](repeating: 0, count: 1 << 22)
    for part in 0..<4 { try dataset.write(zeros.span, rows: part << 22..<(part + 1) << 22) }
    try file.close()
    let error = try failureOpening(path)
    #expect(error.kind == .forbidden)
    #expect(error.message.contains("declares \(1 << 26) bytes and stores "), "\(error)")
  }

  /// Sizes that nothing stands behind, up to the largest that the format can say.
  @Test(
    .enabled(if: Python.isAvailable, "no Python with h5py; set APUS_PYTHON"),
    arguments: [
      "(2**40,), 'f4', chunks=(1024,)", "(2**31, 2**31), 'f4', chunks=(1, 1)", "(2**62, 2**62), 'f8', chunks=(1, 1)",
      "(2**63 - 5,), 'u1', chunks=(1,)", "(0, 2**62, 2**62), 'f8', chunks=(1, 1, 1), maxshape=(None, None, None)",
      "(2**33,), 'f4'",
      "(5,), 'f4', chunks=(2**29,), maxshape=(None,)",
    ])
  func declaredSizes(arguments: String) throws {
    try make("f.create_dataset('features', \(arguments))")
    let error = try failureOpening(path)
    #expect(error.kind == .forbidden, "\(error)")
  }

  /// A contiguous data set says itself how much it stores.
  @Test(.enabled(if: Python.isAvailable, "no Python with h5py; set APUS_PYTHON"))
  func storedSizeIsNotBelieved() throws {
    try make("f['features'] = numpy.ones(1000, 'f4')")
    var contents = try bytes(of: path)
    // The size of the only dimension, its limit, and the size of the data: 1000 and 4000 in eight bytes.
    func replace(_ old: UInt64, _ new: UInt64) {
      let pattern = withUnsafeBytes(of: old.littleEndian) { Array($0) }
      for index in contents.indices.dropLast(8) where contents[index..<index + 8].elementsEqual(pattern) {
        contents.replaceSubrange(index..<index + 8, with: withUnsafeBytes(of: new.littleEndian) { Array($0) })
      }
    }
    replace(1000, 1 << 34)
    replace(4000, 1 << 36)
    _ = try scratch.write(contents, to: "x.h5")
    let error = try failureOpening(path)
    #expect(error.kind == .forbidden, "\(error)")
    #expect(error.message.contains("declares \(1 << 36) bytes"), "\(error)")
  }
}
