import Files
import Foundation
import Kernels
import TestSupport

/// The rows of electricity.csv, in their order.
enum Electricity {
  static let columns = 6
  static let path = PackageRoot.file("Datasets/electricity/electricity.csv.gz")

  static let rows: [[Float]] = {
    do {
      let file = try GzipFile(File.openForReading(path))
      var bytes = [UInt8](repeating: 0, count: try file.contentSize())
      var span = bytes.mutableSpan
      _ = try file.read(at: 0, into: &span)
      return String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst().map { line in
        line.split(separator: ",").map { Float($0) ?? .nan }
      }
    } catch { fatalError("\(error)") }
  }()

  static var count: Int { rows.count }

  static func features() -> FloatBuffer { FloatBuffer(rows.flatMap { $0.prefix(columns) }) }

  static func targets() -> FloatBuffer { FloatBuffer(rows.map { $0[columns] }) }
}
