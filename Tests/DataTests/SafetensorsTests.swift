import Files
import Foundation
import Glibc
import Kernels
import Testing

@testable import Data

@Suite struct SafetensorsTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// A file with this header and so many bytes of data.
  private func file(_ header: String, data: [UInt8] = [], length: UInt64? = nil) throws -> String {
    let bytes = Array(header.utf8)
    let length = length ?? UInt64(bytes.count)
    let path = scratch.file("t.safetensors")
    try FileSystem.write(
      (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + bytes + data, to: path, atomically: false)
    return path
  }

  private func refusal(_ path: String) -> DataError {
    dataError { _ = try SafetensorsFile.open(path) }
  }

  @Test func tensorsAndMetadataComeBack() throws {
    let path = scratch.file("m.safetensors")
    let metadata = [(key: "z", value: "ä\n\"quoted\""), (key: "a", value: "{\"nested\": 1}")]
    let layout = SafetensorsLayout(
      [
        .init("layers.0.weight", shape: [2, 3]), .init("layers.0.bias", shape: [2]), .init("single", shape: []),
        .init("empty", shape: [0, 4]),
      ], metadata: metadata)
    let writer = try SafetensorsWriter(path, layout)
    let parameters = FloatBuffer([1, 2, 3, 4, 5, 6, -0.5, .infinity, 9])
    try writer.write(parameters, 0..<6, toTensor: 0)
    try writer.write(parameters, 6..<8, toTensor: 1)
    try writer.write(parameters, 8..<9, toTensor: 2)
    let receipt = try SafetensorsWriter.seal(path, layout, [try writer.finish()])
    let bytes = try FileSystem.read(path, limit: 1 << 20)
    #expect(receipt.bytes == bytes.count && receipt.checksum == Checksum(of: bytes))
    #expect(
      receipt.tensors == [0..<24, 24..<32, 32..<36, 36..<36].map { Checksum(of: Array(Array(bytes.suffix(36))[$0])) })
    #expect(bytes.count % 4 == 0 && (8 + Int(bytes[0]) + 256 * Int(bytes[1])) % 8 == 0)
    #expect(scratch.names == ["m.safetensors"])

    let file = try SafetensorsFile.open(path)
    #expect(file.tensors.map(\.name) == ["layers.0.weight", "layers.0.bias", "single", "empty"])
    #expect(file.metadata.map(\.key) == ["z", "a"])
    // (The macro cannot take a call on what is not copyable.)
    let weight = file.tensors[0]
    #expect(weight.name == "layers.0.weight")
    let named = file.tensor(named: "layers.0.weight")
    #expect(named == weight)
    #expect(weight.shape == [2, 3] && weight.type == .float32 && weight.count == 6)
    var buffer = FloatBuffer(count: 10)
    try file.read(weight, into: &buffer, at: 3)
    #expect(buffer.values() == [0, 0, 0, 1, 2, 3, 4, 5, 6, 0])
    try file.read(weight, 2..<4, into: &buffer, at: 0)
    #expect(buffer.values(in: 0..<4) == [3, 4, 0, 1])
    #expect(try file.values(of: file.tensors[1]) == [-0.5, .infinity])
    #expect(try file.values(of: file.tensors[2]) == [9])
    #expect(try file.values(of: file.tensors[3]) == [])
    let (none, noText, text) = (file.tensor(named: "none"), file.metadata("none"), file.metadata("z"))
    #expect(none == nil && noText == nil && text == metadata[0].value)
  }

  /// Writes three elements to the tensors `b` and `a`.
  private func write(_ name: String) throws -> [UInt8] {
    let layout = SafetensorsLayout(
      [.init("b", shape: [2]), .init("a", shape: [1])], metadata: [(key: "k", value: "v")])
    let writer = try SafetensorsWriter(scratch.file(name), layout)
    let values = FloatBuffer([1, 2, 3])
    try writer.write(values, 0..<2, toTensor: 0)
    try writer.write(values, 2..<3, toTensor: 1)
    _ = try SafetensorsWriter.seal(scratch.file(name), layout, [try writer.finish()])
    return try FileSystem.read(scratch.file(name), limit: 1 << 20)
  }

  @Test func theSameContentsGiveTheSameBytes() throws {
    let bytes = try write("1")
    #expect(try write("2") == bytes)
    let header =
      "{\"__metadata__\":{\"k\":\"v\"},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
      + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}"
    #expect(String(decoding: bytes[8..<bytes.count - 12], as: UTF8.self).trimmingCharacters(in: .whitespaces) == header)
  }

  @Test func otherFloatsAreConverted() throws {
    var data: [UInt8] = []
    for bits in [(1.5).bitPattern, (1e300).bitPattern] {
      data += (0..<8).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
    }
    for bits in [Float16(-0.25).bitPattern, Float16.infinity.bitPattern] {
      data += [UInt8(bits & 255), UInt8(bits >> 8)]
    }
    data += [0x80, 0x3f, 0x00, 0xc0]
    let path = try file(
      """
      {"c":{"dtype":"BF16","shape":[2],"data_offsets":[20,24]},"a":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},
      "b":{"dtype":"F16","shape":[2,1],"data_offsets":[16,20]}}
      """, data: data)
    let file = try SafetensorsFile.open(path)
    #expect(file.tensors.map(\.name) == ["a", "b", "c"])
    #expect(try file.values(of: file.tensors[0]) == [1.5, .infinity])
    #expect(try file.values(of: file.tensors[1]) == [-0.25, .infinity])
    #expect(try file.values(of: file.tensors[2]) == [1, -2])
    let integers = try SafetensorsFile.open(
      self.file("{\"i\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]}}", data: [1, 0, 0, 0]))
    #expect(dataError { _ = try integers.values(of: integers.tensors[0]) }.message.contains("is I32; wanted is F32"))
  }

  /// Hostile headers (B16 of the table of faults).
  @Test(arguments: [
    ("[]", 0, "no safetensors file"),
    ("{\"a\":1}", 0, "wanted"),
    ("{\"a\":{}}", 0, "\"dtype\" is missing"),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}", 4, "header, line 1"),
    ("{\"a\":{\"dtype\":\"F99\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "unknown type \"F99\""),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "not made of whole numbers"),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 4, "not made of whole numbers"),
    (
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
      "too large for any file"
    ),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "ascending"),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 4, "ascending"),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "ascending"),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,18446744073709551616]}}", 4, "ascending"),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, "needs 4 bytes by its shape and has 8"),
    (
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4,
      "truncated: its tensors take 8 bytes, 4 are there"
    ),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 9, "5 bytes behind its last tensor"),
    (
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8,
      "4 bytes before the tensor 'a' belong to none"
    ),
    (
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
      12, "the tensors 'a' and 'b' overlap"
    ),
    (
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
      8, "header, line 1"
    ),
    ("{\"__metadata__\":{\"a\":1}}", 0, "not a string"),
    ("{\"__metadata__\":[]}", 0, "not an object"),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[[[[[[1]]]]]],\"data_offsets\":[0,4]}}", 4, "header, line 1"),
  ])
  func damagedHeadersAreRefused(header: String, dataBytes: Int, message: String) throws {
    let error = refusal(try file(header, data: [UInt8](repeating: 0, count: dataBytes)))
    #expect(error.kind == .invalid && error.message.hasPrefix("'\(scratch.file("t.safetensors"))'"))
    #expect(error.message.contains(message), "\(error.message)")
  }

  @Test func hostileLengthsAndDepths() throws {
    for length: UInt64 in [0, 1, 3, 1 << 62, 1 << 63, .max] {
      #expect(refusal(try file("{}", length: length)).kind == .invalid)
    }
    #expect(refusal(try scratch.write("<!DOCTYPE html>", to: "page")).message.contains("<!DOCTYP"))
    #expect(refusal(try scratch.write("", to: "nothing")).message.contains("it has 0 bytes"))
    #expect(refusal(try scratch.write("1234567", to: "short")).kind == .invalid)
    #expect(refusal(scratch.file("none")).kind == .missing)
    #expect(refusal(scratch.path).kind == .missing)
    #expect(refusal(try file(String(repeating: "[", count: 100_000))).kind == .invalid)
    #expect(refusal(try file("{\"a\":" + String(repeating: "[", count: 1 << 20))).kind == .invalid)
  }

  @Test func largeHostileHeadersAreRefusedInTime() throws {
    let clock = ContinuousClock()
    let before = Machine.peakMemoryBytes
    // Just within the limit: as many values, and as long a name, as there can be.
    for header in [
      "{\"a\":[" + String(repeating: "0,", count: (8 << 20) - 8) + "0]}",
      "{\"" + String(repeating: "x", count: (16 << 20) - 8) + "\":0}",
    ] {
      let path = try file(header)
      let time = clock.measure { #expect(refusal(path).kind == .invalid) }
      #expect(time < .seconds(60), "a second in a debug build, a tenth of it in a release build")
    }
    #expect(Machine.peakMemoryBytes - before < 200 << 20)
    let declared = refusal(try file(String(repeating: " ", count: (16 << 20) + 1)))
    #expect(declared.message.contains("declares a header of"))
  }

  @Test func everyTruncationIsRefused() throws {
    let path = scratch.file("m.safetensors")
    let bytes = try write("m.safetensors")
    for length in 0..<bytes.count {
      try FileSystem.write(Array(bytes[..<length]), to: path, atomically: false)
      #expect(refusal(path).kind == .invalid)
    }
    // A flipped bit is refused or changes a name, a value or a shape; it never traps.
    for bit in 0..<bytes.count * 8 {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      try FileSystem.write(flipped, to: path, atomically: false)
      guard let file = try? SafetensorsFile.open(path) else { continue }
      for tensor in file.tensors { _ = try? file.values(of: tensor) }
    }
  }

  /// A file so large that pages of it are written past the system's cache: whichever call fails, and however, there is an error, or a
  /// file that is whole.
  @Test func largeFilesAndEveryCallOfTheirWriters() throws {
    let layout = SafetensorsLayout([.init("a", shape: [200_000]), .init("b", shape: [70_000])], carriesChecksum: true)
    var values = FloatBuffer(sharing: PageMemory(count: 270_000))
    for index in 0..<values.count { values[index] = Float(index % 9_973) }
    let path = scratch.file("large")
    func write(_ values: borrowing FloatBuffer, _ plan: FaultPlan?) throws -> SafetensorsLayout.Receipt {
      try FaultPlan.$current.withValue(plan) {
        // Two writers, whose border lies within a page.
        let first = try SafetensorsWriter(path, layout)
        let second = try SafetensorsWriter(path, layout)
        try first.write(values, 0..<123_457, toTensor: 0)
        try second.write(values, 123_457..<200_000, toTensor: 0, from: 123_457)
        try second.write(values, 200_000..<270_000, toTensor: 1)
        return try SafetensorsWriter.seal(path, layout, [try first.finish(isSealedHere: true), try second.finish()])
      }
    }
    let counting = FaultPlan(first: .max, effect: .kill)
    let receipt = try write(values, counting)
    let whole = try FileSystem.read(path, limit: 1 << 21)
    #expect(Checksum(of: whole) == receipt.checksum && (whole.count - 4 * values.count) % File.pageBytes == 0)
    #expect(try SafetensorsFile.open(path).verify())
    #expect(counting.callsSeen > 20)
    for call in 1...counting.callsSeen {
      for effect in [FaultPlan.Effect.fail(ENOSPC), .fail(EIO), .cutShort] {
        try? FileSystem.remove(path)
        do {
          _ = try write(values, FaultPlan(first: call, effect: effect))
          #expect(try FileSystem.read(path, limit: 1 << 21) == whole, "\(effect) at call \(call)")
        } catch let error as DataError {
          #expect(effect != .cutShort && error.message.contains("large"), "\(effect) at call \(call): \(error)")
        }
      }
    }
  }

  /// Several writers, each with the columns of a matrix that it holds: the file and its checksum are those of one writer.
  @Test(arguments: [1, 2, 3, 5]) func manyWritersMakeOneFile(writers: Int) throws {
    let (rows, columns) = (4, 11)
    let layout = SafetensorsLayout(
      [.init("weight", shape: [rows, columns]), .init("bias", shape: [rows]), .init("empty", shape: [0])])
    let values = FloatBuffer((0..<rows * columns + rows).map { Float($0) * 0.5 - 7 })
    let whole = try SafetensorsWriter(scratch.file("whole"), layout)
    try whole.write(values, 0..<rows * columns, toTensor: 0)
    try whole.write(values, rows * columns..<values.count, toTensor: 1)
    let expected = try SafetensorsWriter.seal(scratch.file("whole"), layout, [try whole.finish()])
    let bytes = try FileSystem.read(scratch.file("whole"), limit: 1 << 20)
    #expect(expected.checksum == Checksum(of: bytes) && expected.bytes == bytes.count)

    // A longer file of this name may be there that was never finished.
    let path = scratch.file("parts")
    try FileSystem.write([UInt8](repeating: 7, count: 2 * bytes.count), to: path)
    var parts: [SafetensorsPart] = []
    for index in 0..<writers {
      let writer = try SafetensorsWriter(path, layout)
      let own = columns * index / writers..<columns * (index + 1) / writers
      for row in 0..<rows {
        let start = row * columns + own.lowerBound
        try writer.write(values, start..<start + own.count, toTensor: 0, from: start)
      }
      if index == writers - 1 { try writer.write(values, rows * columns..<values.count, toTensor: 1) }
      parts.append(try writer.finish())
    }
    #expect(try SafetensorsPart.decoded(SafetensorsPart.encoded(parts)) == parts)
    #expect(try SafetensorsWriter.seal(path, layout, parts) == expected)
    #expect(try FileSystem.read(path, limit: 1 << 20) == bytes)
  }

  @Test(arguments: ["U8", "F64", "F32"]) func rangesOfOtherTypes(type: String) throws {
    let values: [Double] = [1, -2, 3.5, 1e30, 5]
    var data: [UInt8] = []
    for value in values {
      let bits = type == "F64" ? value.bitPattern : UInt64(Float(value).bitPattern)
      data += (0..<(type == "F64" ? 8 : 4)).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
    }
    let count = type == "U8" ? 20 : 5
    let path = try file(
      "{\"a\":{\"dtype\":\"\(type)\",\"shape\":[\(count)],\"data_offsets\":[0,\(data.count)]}}", data: data)
    let file = try SafetensorsFile.open(path)
    var buffer = FloatBuffer(count: 3)
    guard type != "U8" else {
      #expect(dataError { try file.read(file.tensors[0], 1..<3, into: &buffer, at: 0) }.message.contains("is U8"))
      return
    }
    try file.read(file.tensors[0], 2..<4, into: &buffer, at: 1)
    #expect(buffer.values() == [0, 3.5, 1e30])
    try file.read(file.tensors[0], 5..<5, into: &buffer, at: 3)
  }

  @Test func whatCannotBeWritten() throws {
    let layout = SafetensorsLayout([.init("a", shape: [2])])
    #expect(dataError { _ = try SafetensorsWriter(scratch.file("no/u"), layout) }.kind == .output)
    #expect(scratch.names.isEmpty)
    let path = scratch.file("u")
    func write() throws {
      let writer = try SafetensorsWriter(path, layout)
      try writer.write(FloatBuffer([1, 2]), 0..<2, toTensor: 0)
      _ = try SafetensorsWriter.seal(path, layout, [try writer.finish()])
    }
    // Two writes, of the elements and of the header, one length of a file that was longer, and two of what ends either.
    for (call, count) in [(SystemCall.Name.pwrite, 2), (.fstat, 1), (.ftruncate, 1), (.fdatasync, 2), (.close, 2)] {
      for first in 1...count {
        try FileSystem.write([UInt8](repeating: 7, count: 1_000), to: path, atomically: false)
        FaultPlan.$current.withValue(FaultPlan(calls: [call], first: first, effect: .fail(ENOSPC))) {
          let error = dataError { try write() }
          #expect(error.kind == .io && error.message.contains("'\(path)'"), "\(error)")
          #expect(error.hint?.contains("needs") == true, "\(error)")
        }
      }
    }
    try write()
    let whole = try FileSystem.read(path, limit: 1_000)
    try FaultPlan.$current.withValue(FaultPlan(first: 1, effect: .cutShort, persists: true)) { try write() }
    #expect(try FileSystem.read(path, limit: 1_000) == whole)
  }

  // MARK: The checksum of the content

  /// A file that carries its checksum.
  private func writeChecked(_ name: String) throws -> [UInt8] {
    let layout = SafetensorsLayout(
      [.init("b", shape: [2]), .init("a\"", shape: [1, 1])],
      metadata: [(key: "format", value: "2"), (key: "text", value: "ä \u{1F40D}\n\\")], carriesChecksum: true)
    let writer = try SafetensorsWriter(scratch.file(name), layout)
    try writer.write(FloatBuffer([1, 2]), 0..<2, toTensor: 0)
    try writer.write(FloatBuffer([-0.5]), 0..<1, toTensor: 1)
    _ = try SafetensorsWriter.seal(scratch.file(name), layout, [try writer.finish()])
    return try FileSystem.read(scratch.file(name), limit: 1 << 20)
  }

  /// Every single bit counts, but for the name of the checksum itself.
  @Test func everyFlippedBitIsNoticed() throws {
    let sound = try writeChecked("sound")
    #expect(try SafetensorsFile.open(scratch.file("sound")).verify())
    let path = scratch.file("flipped")
    var unnamed = 0
    for bit in 0..<8 * sound.count {
      var bytes = sound
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      try FileSystem.write(bytes, to: path, atomically: false)
      do {
        if try SafetensorsFile.open(path).verify() { Issue.record("bit \(bit)") } else { unnamed += 1 }
      } catch {
        #expect(error.kind == .invalid, "\(error)")
      }
    }
    #expect(unnamed > 0 && unnamed <= 8 * "checksum".utf8.count, "\(unnamed)")
  }

  /// Not the order of the file counts, nor spaces, nor how text is escaped.
  @Test func theContentIsWhatCounts() throws {
    _ = try writeChecked("sound")
    let sum = try SafetensorsFile.open(scratch.file("sound")).metadata("checksum") ?? ""
    func rewritten(_ text: String, sum: String) throws -> Bool {
      let header = """
        { "a\\u0022": {"shape": [1,1], "dtype": "F32", "data_offsets": [0, 4]},
          "b": {"dtype":"F32","shape":[2],"data_offsets":[4,12]},
          "__metadata__": {"checksum":"\(sum)", "text":"\(text)", "format":"2"} }
        """
      let values: [Float] = [-0.5, 1, 2]
      let data = values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
      return try SafetensorsFile.open(try file(header, data: data)).verify()
    }
    #expect(try rewritten("\\u00e4 \\ud83d\\udc0d\\n\\\\", sum: sum))
    #expect(dataError { _ = try rewritten("\\u00e5 \\ud83d\\udc0d\\n\\\\", sum: sum) }.message.contains("damaged"))
    let upper = sum.uppercased()
    if upper != sum { #expect(throws: DataError.self) { try rewritten("\\u00e4 \\ud83d\\udc0d\\n\\\\", sum: upper) } }
  }
}
