import Failures
import Files
import HDF5

/// A file of predictions that is being written, beside its place. Used by one rank.
protocol PredictionWriter: AnyObject {
  /// Writes the predictions of the rows that follow.
  func append(_ block: PredictionBlock) throws

  /// Brings the file to the disk and gives it its name.
  func finish() throws

  /// Removes what was written.
  func abandon()
}

/// A format that predictions are written in.
enum PredictionFormat: CaseIterable, Sendable {
  case hdf5, csv

  /// The format that the ending of a file names.
  init?(ending path: String) {
    let name = path.lowercased()
    if name.hasSuffix(".h5") || name.hasSuffix(".hdf5") {
      self = .hdf5
    } else if name.hasSuffix(".csv") {
      self = .csv
    } else {
      return nil
    }
  }

  /// Starts a file that will be at `path`.
  /// - Throws: `Failure` (73, 77) where it cannot be made.
  func writer(path: String, schema: PredictionSchema) throws -> any PredictionWriter {
    switch self {
    case .hdf5: try HDF5PredictionWriter(path: path, schema: schema)
    case .csv: try CSVPredictionWriter(path: path, schema: schema)
    }
  }
}

extension Failure {
  /// The file system did not let the output be written.
  static func writing(_ path: String, _ error: FilesError) -> Failure {
    let code: ExitCode =
      switch error.kind {
      case .permission: .permission
      case .missing, .isDirectory, .notDirectory, .exists, .locked, .noSpace, .tooLarge: .cannotCreate
      case .damaged, .other: .inputOutput
      }
    return Failure(code, "cannot write '\(path)': \(error)")
  }

  /// HDF5 could not write the output.
  static func writing(_ path: String, _ error: HDF5Error) -> Failure {
    let code: ExitCode =
      switch error.kind {
      case .permission: .permission
      case .missing, .directory, .noSpace: .cannotCreate
      default: .inputOutput
      }
    return Failure(code, "cannot write '\(path)': \(error)")
  }
}
