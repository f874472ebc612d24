import Data
import Files
import Foundation
import Kernels
import Testing

@testable import Preparation

/// Rows of plain numbers take a way of their own, beside the tokenizer and the parser: what comes out is the same.
@Suite struct PlainScanTests {
  /// The rows of a table with the features a, b and c and the target t, in their order.
  private func rows(
    _ text: String, in directory: borrowing TemporaryDirectory, _ change: (inout PreparationRequest) -> Void = { _ in }
  )
    throws -> [[Float]]
  {
    let input = try directory.file("in.csv", Array(text.utf8))
    var request = PreparationRequest(inputs: [input], target: "t", output: directory.join("out"))
    request.overwrite = true
    request.task = .regression
    request.fractions = SplitFractions(validation: 0, test: 0)
    change(&request)
    _ = try Preparer(request).run()
    let source = try DataSource(path: request.output, split: "train").resolve()
    let shards = try source.paths.map {
      try ShardDescription.describe(path: $0, features: source.features, targets: source.targets, scanLabels: true)
    }
    let dataset = try ShardedDataset(descriptions: shards, source: source)
    let reader = try RowReader(dataset: dataset, targetUse: .values(outputs: 1))
    var features = FloatBuffer(count: dataset.rows * dataset.columns)
    var targets = FloatBuffer(count: dataset.rows)
    try reader.read(rows: 0..<dataset.rows, features: &features, targets: &targets)
    return (0..<dataset.rows).map { row in
      features.values(in: row * dataset.columns..<(row + 1) * dataset.columns) + [targets[row]]
    }
  }

  private static let fields = [
    "1", "-2", "0.5", "-0.25", "3.141592653589793", "1e-5", "2.5E3", "+7", ".5", "5.", "16777217",
    "123456789.123456789",
    "-0", "0.000000000000000000001", " 4 ", "\"6.5\"", "12345678.87654321", "1.00000006", "0.05644299999999999",
  ]

  /// Every kind of number and line end, in rows that come one after the other, with small blocks and with large ones.
  @Test(arguments: ["\n", "\r\n", "\r"], [64, 4 << 20]) func readsWhatTheLibraryReads(lineEnd: String, blockBytes: Int)
    throws
  {
    let directory = try TemporaryDirectory()
    var random = SplitMix(state: 3)
    var lines = ["a,b,c,t"]
    var expected: [[Float]] = []
    for row in 0..<1_500 {
      // Long runs of plain rows, and others among them.
      let isPlain = row % 50 < 40
      let fields = (0..<4).map { _ in
        isPlain
          ? "\(Double(Int(random.next() % 2_000_000)) / 1_000 - 1_000)"
          : Self.fields[Int(random.next() % UInt64(Self.fields.count))]
      }
      expected.append(
        fields.map { strtof($0.filter { !" \"".contains($0) }, nil) })
      lines.append(fields.joined(separator: ","))
      if row % 400 == 399 { lines.append("") }
    }
    for isLastOpen in [true, false] {
      let text = lines.joined(separator: lineEnd) + (isLastOpen ? "" : lineEnd)
      let read = try rows(text, in: directory) { $0.blockBytes = blockBytes }
      try #require(read.count == expected.count)
      for (row, values) in read.enumerated() {
        try #require(values.map(\.bitPattern) == expected[row].map(\.bitPattern), "row \(row)")
      }
    }
  }

  /// A record of more fields than are found at a time.
  @Test func readsRecordsLongerThanAPiece() throws {
    let directory = try TemporaryDirectory()
    let columns = NumberFields.pieceBytes / 3
    let names = (0..<columns).map { "x\($0)" } + ["t"]
    let records = (0..<6).map { row in (0...columns).map { "\(row).\($0 % 10)5" } }
    let text = ([names] + records).map { $0.joined(separator: ",") + "\n" }.joined()
    #expect(try rows(text, in: directory) == records.map { $0.map { strtof($0, nil) } })
  }

  /// One byte too few or too many is seen, wherever the records before it ended.
  @Test(arguments: ["1,2,3", "1,2,3,4,5", "1,2,3,4,", "1,2,,4", "1,2,3,4\r5"]) func raggedRowsAreNotTakenForPlainOnes(
    line: String
  ) throws {
    let directory = try TemporaryDirectory()
    for before in [0, 1, 30, 3_000] {
      let text = "a,b,c,t\n" + String(repeating: "1.5,2.5,3.5,4.5\n", count: before) + line + "\n1,2,3,4\n"
      let error = try #require(throws: PreparationError.self) { try rows(text, in: directory) }
      #expect(error.description.contains("in.csv:\(before + 2 + (line.contains("\r") ? 1 : 0)):"), "\(error)")
    }
  }

  @Test func readsADecimalCommaAndComments() throws {
    let directory = try TemporaryDirectory()
    let text = "a;b;c;t\n" + String(repeating: "1,5;2,25;-3;4,125\n# no row; 1\n", count: 40)
    let read = try rows(text, in: directory) {
      $0.dialect.decimal = UInt8(ascii: ",")
      $0.dialect.comment = UInt8(ascii: "#")
    }
    #expect(read == Array(repeating: [1.5, 2.25, -3, 4.125], count: 40))
  }
}
