public import Data
public import Files
public import MPI

/// The exit codes of the command (`sysexits.h`, and a few of our own above it); all below 126, so that `128 + signal` stays distinct.
public enum ExitCode: Int32, Sendable, CaseIterable {
  case success = 0
  case usage = 64
  case invalidData = 65
  case missingInput = 66
  case unavailable = 69
  case internalError = 70
  case cannotCreate = 73
  case inputOutput = 74
  case stopped = 75
  case stalled = 76
  case permission = 77
  case invalidJob = 78
  case refused = 79
}

/// Why a command cannot go on, in the user's words.
public struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
  public let code: ExitCode
  /// What is wrong, naming the file and the place in it; may have several lines.
  public let message: String
  /// The likely mistake and what to do about it.
  public let hint: String?
  /// All ranks have this same failure, so that rank 0 speaks for all and none needs to be torn down.
  public var isShared: Bool

  public init(_ code: ExitCode, _ message: String, hint: String? = nil, isShared: Bool = false) {
    self.code = code
    self.message = message
    self.hint = hint
    self.isShared = isShared
  }

  public var description: String {
    hint.map { "\(message)\n  hint: \($0)" } ?? message
  }

  /// The failure that `error` means for a user.
  public init(_ error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case let convertible as any FailureConvertible: self = convertible.failure
    default: self.init(.internalError, "\(error)")
    }
  }
}

/// An error of a module that knows its exit code.
public protocol FailureConvertible: Error {
  var failure: Failure { get }
}

extension DataError: FailureConvertible {
  public var failure: Failure {
    let code: ExitCode =
      switch kind {
      case .missing: .missingInput
      case .permission: .permission
      case .invalid: .invalidData
      case .io: .inputOutput
      case .output: .cannotCreate
      case .usage: .usage
      }
    return Failure(code, message, hint: hint)
  }
}

extension FilesError: FailureConvertible {
  public var failure: Failure {
    let code: ExitCode =
      switch kind {
      case .missing, .isDirectory, .notDirectory: isOutput ? .cannotCreate : .missingInput
      case .permission: .permission
      case .exists, .locked: .cannotCreate
      case .tooLarge: isOutput ? .inputOutput : .invalidData
      case .damaged: .invalidData
      case .noSpace, .other: .inputOutput
      }
    return Failure(code, "\(self)")
  }
}

extension MPIError: FailureConvertible {
  public var failure: Failure { Failure(.internalError, "\(self)") }
}
