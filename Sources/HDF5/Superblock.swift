/// The first structure of an HDF5 file (File Format Specification 3.0, section II.A), as far as we need it.
struct Superblock {
  /// The size of the file that its last writer recorded.
  let endOfFile: UInt64
  /// Set by a writer of format 3 while it has the file open.
  let isMarkedOpen: Bool

  /// What no version exceeds.
  static let largestBytes = 128

  /// Reads from the signature on; nil if `bytes` is too short or of an unknown version.
  init?(_ bytes: [UInt8]) {
    guard bytes.count > 16 else { return nil }
    let version = bytes[8]
    let addressBytes: Int
    // What stands before the addresses: base, free space or extension, end of file.
    let addresses: Int
    switch version {
    case 0: (addressBytes, addresses) = (Int(bytes[13]), 24)
    case 1: (addressBytes, addresses) = (Int(bytes[13]), 28)
    case 2, 3: (addressBytes, addresses) = (Int(bytes[9]), 12)
    default: return nil
    }
    let start = addresses + 2 * addressBytes
    guard 1...8 ~= addressBytes, start + addressBytes <= bytes.count else { return nil }
    endOfFile = bytes[start..<start + addressBytes].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    isMarkedOpen = version == 3 && bytes[11] & 0b101 != 0
  }
}
