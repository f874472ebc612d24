import CMPI

/// How numbers of several ranks become one (MPI 3.1, section 5.9.2).
public enum Reduction: UInt8, Sendable {
  case sum, product, minimum, maximum
  /// On integers only.
  case bitwiseAnd, bitwiseOr

  var operation: MPI_Op {
    switch self {
    case .sum: cmpi_sum()
    case .product: cmpi_product()
    case .minimum: cmpi_minimum()
    case .maximum: cmpi_maximum()
    case .bitwiseAnd: cmpi_bitwise_and()
    case .bitwiseOr: cmpi_bitwise_or()
    }
  }
}
