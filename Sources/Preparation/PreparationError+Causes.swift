internal import Data
internal import Files

extension PreparationError {
  init(_ error: FilesError) {
    let kind: Kind =
      switch error.kind {
      case .missing, .notDirectory: .missing
      case .permission: .permission
      case .exists, .locked: .exists
      case .isDirectory: .missing
      case .damaged: .invalid
      case .noSpace, .tooLarge, .other: .io
      }
    self.init(kind, "\(error)")
  }

  /// Runs `body` and turns its `FilesError` into one of this type.
  static func translating<Result: ~Copyable>(_ body: () throws(FilesError) -> Result) throws(PreparationError) -> Result
  {
    do {
      return try body()
    } catch {
      throw PreparationError(error)
    }
  }
}

extension PreparationError {
  init(_ error: DataError) {
    let kind: Kind =
      switch error.kind {
      case .missing: .missing
      case .permission: .permission
      case .invalid: .invalid
      case .io: .io
      case .output: .exists
      case .usage: .usage
      }
    self.init(kind, error.message, hint: error.hint)
  }
}
