import CMPI
import Watch

/// A failure that the MPI library reported, or a rule between ranks that was broken.
public struct MPIError: Error, Equatable, CustomStringConvertible {
  /// What went wrong, as far as a caller may want to tell cases apart.
  public enum Kind: Sendable, Equatable {
    /// A message was longer than the room for it.
    case truncated
    /// A message was shorter than the receiver insists on.
    case short
    /// Ranks called different collectives, or one collective with different counts, types, operations or roots.
    case mismatch
    /// The environment says that more ranks were started than this MPI library sees or can reach.
    case foreignLauncher
    /// Anything else that the library reports.
    case library
  }

  public let kind: Kind
  /// The MPI function that failed, such as `MPI_Allreduce`.
  public let call: String
  /// MPI's error code; 0 where this module, not the library, found the failure.
  public let code: Int32
  /// MPI's own text for the code, or this module's.
  public let text: String

  public init(kind: Kind, call: String, code: Int32 = 0, text: String) {
    self.kind = kind
    self.call = call
    self.code = code
    self.text = text
  }

  public var description: String { code == 0 ? "\(call): \(text)" : "\(call) failed: \(text)" }
}

extension MPIError {
  /// The error of a return code other than `MPI_SUCCESS`.
  init(code: Int32, call: StaticString) {
    var errorClass: Int32 = 0
    let kind: Kind
    if unsafe MPI_Error_class(code, &errorClass) == MPI_SUCCESS, errorClass == MPI_ERR_TRUNCATE {
      kind = .truncated
    } else {
      kind = .library
    }
    self.init(kind: kind, call: "\(call)", code: code, text: Self.text(of: code))
  }

  private static func text(of code: Int32) -> String {
    var length: Int32 = 0
    let text = unsafe String(unsafeUninitializedCapacity: Int(MPI_MAX_ERROR_STRING)) { bytes in
      let status = unsafe bytes.withMemoryRebound(to: CChar.self) {
        unsafe MPI_Error_string(code, $0.baseAddress, &length)
      }
      return status == MPI_SUCCESS ? Int(length) : 0
    }
    return text.isEmpty ? "error \(code)" : text
  }
}

/// Every call of the library passes through here, so that no return code is lost and a watchdog knows who waits for other ranks.
@inline(__always)
func check(_ code: @autoclosure () -> Int32, _ call: StaticString) throws(MPIError) {
  let code = Pulse.whileWaiting(code)
  if code != MPI_SUCCESS { throw MPIError(code: code, call: call) }
}
