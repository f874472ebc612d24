public import Failures
public import HDF5

extension HDF5Error: FailureConvertible {
  /// For files that are read.
  public var failure: Failure {
    let code: ExitCode =
      switch kind {
      case .missing, .directory: .missingInput
      case .permission: .permission
      case .noSpace: .inputOutput
      case .notHDF5, .truncated, .unclosed, .checksum, .filter, .forbidden, .typeMismatch, .other: .invalidData
      }
    return Failure(code, message)
  }
}
