import Foundation
import TestSupport
import Testing

@testable import Files

/// gzip files that `gzip` made, whole and damaged.
@Suite struct GzipFileTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// Text that compresses to about a third.
  private static func text(bytes: Int) -> [UInt8] {
    var state: UInt64 = 1
    return (0..<bytes).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(ascii: "0") + UInt8((state >> 60) & 7)
    }
  }

  /// Writes the bytes and compresses them; returns the path of the gzip file.
  private func compressed(_ bytes: [UInt8], _ name: String = "file") throws -> String {
    try FileSystem.write(bytes, to: scratch.file(name))
    let result = try Run.program("gzip", ["--force", scratch.file(name)])
    #expect(result.exitCode == 0, "\(result)")
    return scratch.file(name + ".gz")
  }

  private func open(_ path: String) throws -> GzipFile { try GzipFile(File.openForReading(path)) }

  private func read(_ file: GzipFile, at offset: Int, count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var span = bytes.mutableSpan
    let filled = try file.read(at: offset, into: &span)
    return Array(bytes[..<filled])
  }

  @Test(arguments: [0, 1, 1000, 3_000_000]) func contentInPieces(count: Int) throws {
    let text = Self.text(bytes: count)
    let file = try open(compressed(text))
    #expect(try file.contentSize() == count)
    for piece in [7_777, 1 << 20] where count / piece < 1000 {
      var found: [UInt8] = []
      while true {
        let next = try read(file, at: found.count, count: piece)
        if next.isEmpty { break }
        found += next
      }
      #expect(found == text)
    }
  }

  /// A little way back, far back, and forward, as readers of blocks step.
  @Test func anyPlace() throws {
    let text = Self.text(bytes: 20_000_000)
    let file = try open(compressed(text))
    for place in [0, 5_000_000, 4_999_990, 19_999_995, 19_999_000, 11_999_000, 3, 0, 20_000_000, 30_000_000] {
      let wanted = Array(text[min(place, text.count)..<min(place + 1_000, text.count)])
      #expect(try read(file, at: place, count: 1_000) == wanted, "\(place)")
    }
  }

  @Test func membersFollowEachOther() throws {
    let parts = [Self.text(bytes: 1000), [], Array("abc".utf8)]
    var bytes: [UInt8] = []
    for (index, part) in parts.enumerated() {
      bytes += try FileSystem.read(compressed(part, "\(index)"), limit: 1 << 20)
    }
    for padding in [0, 1, 700] {
      try FileSystem.write(bytes + [UInt8](repeating: 0, count: padding), to: scratch.file("all.gz"))
      #expect(try read(open(scratch.file("all.gz")), at: 0, count: 2_000) == parts.flatMap { $0 })
    }
    try FileSystem.write(bytes + Array("more".utf8), to: scratch.file("all.gz"))
    #expect(failure { _ = try open(scratch.file("all.gz")).contentSize() }?.kind == .damaged)
  }

  /// Every length below the whole one is noticed.
  @Test func cutOff() throws {
    let whole = try FileSystem.read(compressed(Self.text(bytes: 500)), limit: 1 << 20)
    let path = scratch.file("cut.gz")
    for count in 0..<whole.count {
      try FileSystem.write(Array(whole[..<count]), to: path)
      let error = failure { _ = try open(path).contentSize() }
      #expect(error?.kind == .damaged, "\(count) bytes: \(String(describing: error))")
      #expect(error?.description == "cannot read '\(path)': the gzip data end in the middle", "\(count) bytes")
    }
  }

  /// A flipped bit anywhere in the content or its checksum is noticed; those of the header may mean nothing.
  @Test func flippedBits() throws {
    let text = Self.text(bytes: 500)
    let whole = try FileSystem.read(compressed(text), limit: 1 << 20)
    let path = scratch.file("flipped.gz")
    let header = 10 + "file".utf8.count + 1
    var unnoticed = 0
    for bit in 0..<whole.count * 8 {
      var bytes = whole
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      try FileSystem.write(bytes, to: path)
      let error = failure { _ = try open(path).contentSize() }
      #expect(error == nil || error?.kind == .damaged)
      guard error == nil else { continue }
      if bit / 8 >= header {
        // Bits that pad the compressed data to whole bytes mean nothing; the content has to be right.
        unnoticed += 1
        #expect(try read(open(path), at: 0, count: 1_000) == text, "bit \(bit)")
      }
    }
    #expect(unnoticed < 8)
  }

  @Test func tellsGzipByItsBeginning() {
    #expect(GzipFile.isMagic([0x1f, 0x8b, 0x08]))
    #expect(!GzipFile.isMagic([0x1f]) && !GzipFile.isMagic(Array("a,b".utf8)) && !GzipFile.isMagic([]))
  }
}
