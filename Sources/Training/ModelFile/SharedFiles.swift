import Data
import Failures
import MPI

/// Files of tensors that all ranks write together, each the elements that it holds.
enum SharedFiles {
  /// Writes files of `layouts`. Collective: every rank gets through, or all throw the same failure and nothing is left.
  /// - Parameters:
  ///   - make: on rank 0, says where each file is to be; what it needs is there afterwards.
  ///   - fill: on every rank, writes what it holds of the file with this number.
  ///   - publish: on rank 0, once all files are on the disk.
  ///   - giveUp: on rank 0, removes what was made, where some rank has failed.
  static func write(
    _ layouts: [SafetensorsLayout], world: borrowing Communicator, make: () throws -> [String],
    fill: (_ file: Int, _ writer: SafetensorsWriter) throws -> Void,
    publish: ([SafetensorsLayout.Receipt]) throws -> Void, giveUp: () -> Void
  ) throws {
    let isRoot = world.rank == 0
    do {
      let names = try Agreement.fromRoot(world) {
        let paths = try make()
        for (path, layout) in zip(paths, layouts) { try SafetensorsWriter.create(path, layout) }
        return Array(paths.joined(separator: "\0").utf8)
      }
      let paths = names.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      let written = try Agreement.gathering(world) {
        var parts = ByteWriter()
        for (index, layout) in layouts.enumerated() {
          let writer = try SafetensorsWriter(paths[index], layout, takesHeader: isRoot)
          try fill(index, writer)
          let part = try writer.finish()
          parts.write(part.bytes)
          parts.write(Int(bitPattern: UInt(part.contribution)))
        }
        return parts.bytes
      }
      _ = try Agreement.fromRoot(world) {
        let parts = try written.map { try decode($0) }
        try publish(layouts.indices.map { file in layouts[file].receipt(of: parts.map { $0[file] }) })
        return []
      }
    } catch {
      if isRoot { giveUp() }
      throw error
    }
  }

  /// What a rank wrote of each file.
  private static func decode(_ bytes: [UInt8]) throws -> [SafetensorsPart] {
    var reader = ByteReader(bytes)
    var parts: [SafetensorsPart] = []
    while !reader.isAtEnd {
      let count = try reader.readInt()
      parts.append(SafetensorsPart(bytes: count, contribution: UInt64(UInt(bitPattern: try reader.readInt()))))
    }
    return parts
  }
}
