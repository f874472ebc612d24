import Files
import MPI
import Preparation

/// Cases on tables that several ranks read. Each prints what must not depend on the number of ranks.
let preparationCases: [RankCase] = [
  RankCase("preparedBytes") { world in
    try withTable(oddTable(rows: 400), world) { path, scratch in
      for blockBytes in [7, 64, 1_000, 1 << 20] {
        var request = PreparationRequest(inputs: [path, path], target: "kind", output: "\(scratch)/out-\(blockBytes)")
        request.blockBytes = blockBytes
        request.fractions = SplitFractions(validation: 0.1, test: 0.2)
        request.shards = 3
        request.standardize = true
        request.missing = .drop
        request.overwrite = true
        // Rows wait in files alone, in memory and in files, in memory alone.
        var found: [String] = []
        for memoryBytes in [0, 2_000, request.memoryBytes] {
          request.memoryBytes = memoryBytes
          let summary = try Preparer(request).run(on: world) { _ in }
          try expect(summary.rows + summary.droppedRows, 800, "rows")
          guard world.rank == 0 else { continue }
          var checksum = Checksum()
          for name in try FileSystem.list(request.output) {
            checksum.update(try FileSystem.read("\(request.output)/\(name)", limit: 1 << 24))
          }
          found.append("\(summary.splits.map(\.rowsPerClass)) \(summary.missing.map(\.rows)) \(checksum.hex)")
        }
        guard world.rank == 0 else { continue }
        try expect(Set(found).count, 1, "the bytes do not depend on where rows wait")
        print("\(blockBytes): \(found[0])")
      }
    }
  },
  RankCase("sampledBytes") { world in
    try withTable(oddTable(rows: 400), world) { path, scratch in
      for (index, sample) in [
        "{ rows: 90 }", "{ fraction: 0.3, by: 'kind' }",
        "{ rows: 60, by: 'kind', allocation: 'equal', weight: 'second' }",
      ].enumerated() {
        let recipe = try Recipe(
          parsing: Array("{ target: 'kind', defaults: { missing: 'drop' }, sample: \(sample) }".utf8), source: "recipe")
        var request = PreparationRequest(inputs: [path, path], target: "kind", output: "\(scratch)/sample-\(index)")
        request.blockBytes = 300
        request.shards = 2
        let summary = try Preparer(request, recipe: recipe).run(on: world) { _ in }
        guard world.rank == 0 else { continue }
        var checksum = Checksum()
        for name in try FileSystem.list(request.output) {
          checksum.update(try FileSystem.read("\(request.output)/\(name)", limit: 1 << 24))
        }
        print("\(summary.rows) \(summary.splits.map(\.rowsPerClass)) \(checksum.hex)")
      }
    }
  },
  RankCase("plannedTables") { world in
    try withTable(oddTable(rows: 300), world) { path, scratch in
      for blockBytes in [7, 64, 1 << 20] {
        var request = PreparationRequest(inputs: [path, path], target: "kind", output: "")
        request.blockBytes = blockBytes
        request.missing = .drop
        let plan = try Preparer(request).plan(on: world) { _ in }
        guard world.rank == 0 else { continue }
        print("\(plan.rows) \(plan.columns) \(String(describing: plan.output))".replacing(scratch, with: ""))
      }
    }
  },
  RankCase("tableErrors") { world in
    let faults = [
      "1,x,kind\n", "1,2\n", "1,2,3,4\n", "1,2,\"a\"b\n", "1,2,\"never closed\n", "1e99,2,a\n", "1,,a\n",
      "1,2,\u{1}a,\n",
    ]
    for (index, fault) in faults.enumerated() {
      var text = oddTable(rows: 120)
      // The fault stands in the middle; another one behind it must not be the one that is told.
      text += fault + oddRows(120) + "late,fault,x\n"
      try withTable(text, world) { path, scratch in
        for blockBytes in [16, 500, 1 << 20] {
          var request = PreparationRequest(inputs: [path], target: "kind", output: "\(scratch)/out")
          request.blockBytes = blockBytes
          request.missing = index == 6 ? .error : .drop
          do {
            _ = try Preparer(request).run(on: world) { _ in }
            throw CaseFailure("fault \(index) went unnoticed")
          } catch let error as PreparationError {
            if world.rank == 0 { print("\(error)".replacing(scratch, with: "")) }
            try world.barrier()
            try expect(try FileSystem.status(of: "\(scratch)/out") == nil, true, "there is no output")
          }
        }
      }
    }
  },
]

/// Rows whose target holds quotes, line ends and what looks like rows of the table.
private func oddRows(_ count: Int) -> String {
  let kinds = [
    "plain", "\"quoted, with a comma\"", "\"1,2,plain\n3,4,plain\n5,6,plain\n\"", "\"say \"\"1,2,x\"\"\n\"\"\"",
    "\"\r\n\r\n\"\",\"\"\n7,8,\"\"plain\"\"\n\"", "5' 6\"",
  ]
  var rows = ""
  for row in 0..<count {
    let ending = row % 7 == 0 ? "\r\n" : row % 11 == 0 ? "\r" : "\n"
    let first = row % 13 == 5 ? "NA" : row % 5 == 0 ? "\" \(row).25\"" : "\(row)e-2"
    rows += "\(first),\(Double(row * row) / 7),\(kinds[(5 * row + row / 6) % 6])\(ending)"
    if row % 17 == 0 { rows += "\n" }
  }
  return rows
}

private func oddTable(rows: Int) -> String { "first,second,kind\n" + oddRows(rows) }

/// Rank 0 writes the table; every rank gets its path, and a folder for what comes of it.
private func withTable(
  _ text: String, _ world: borrowing Communicator, _ body: (_ path: String, _ scratch: String) throws -> Void
) throws {
  let scratch = try scratchFolder()
  let path = "\(scratch)/table.csv"
  if world.rank == 0 { try FileSystem.write(Array(text.utf8), to: path) }
  try world.barrier()
  try body(path, scratch)
  try world.barrier()
}
