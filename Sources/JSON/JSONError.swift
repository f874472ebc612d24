/// Why a text is not JSON, and where.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Counted from 1; ended by LF, CR or CR LF.
  public let line: Int
  /// Counted from 1 in Unicode scalars.
  public let column: Int
  /// What was expected, without the place.
  public let message: String

  public init(line: Int, column: Int, message: String) {
    self.line = line
    self.column = column
    self.message = message
  }

  public var description: String { "line \(line), column \(column): \(message)" }
}
