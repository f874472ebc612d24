internal import JSON
internal import Kernels

/// The least-squares solution of all rows so far, older ones forgotten by a factor a row, in Double.
///
/// Kept is the triangular factor of the rows, to which each new one is added by Givens rotations: the information form, which neither needs a first
/// covariance nor loses its symmetry, as the usual recursion does, and which two ranks add exactly. A row costs the square of the columns.
///
/// Source: G. Golub, C. Van Loan, Matrix Computations, section 6.5; S. Haykin, Adaptive Filter Theory (QR-RLS).
struct RecursiveLeastSquares: Sendable {
  static let mostInputs = 1024

  /// Columns of the features and one for the bias, which comes last.
  let size: Int
  let outputs: Int
  let forgetting: Double
  /// Rows of the triangle with what stands on the right behind each: size × (size + outputs), row-major.
  private(set) var triangle: [Double]
  /// Rows added.
  private(set) var rows = 0
  /// The solution, outputs × size; of the rows up to the last `solve`.
  private(set) var solution: [Double]
  private var incoming: [Double]
  /// What a diagonal element has to be larger than to decide its weight.
  private var least: [Double]

  /// - Parameter ridge: weight of the squared weights beside the rows; without any, weights that no row decides are 0.
  init(inputs: Int, outputs: Int, forgetting: Double, ridge: Double) {
    size = inputs + 1
    self.outputs = outputs
    self.forgetting = forgetting
    let stride = size + outputs
    triangle = [Double](repeating: 0, count: size * stride)
    for column in 0..<inputs { triangle[column * stride + column] = ridge.squareRoot() }
    solution = [Double](repeating: 0, count: size * outputs)
    incoming = [Double](repeating: 0, count: stride)
    least = [Double](repeating: 0, count: size)
  }

  /// One that knows no row, to count rows apart from these.
  var empty: Self { Self(inputs: size - 1, outputs: outputs, forgetting: forgetting, ridge: 0) }

  /// Forgets all rows, and the ridge; the solution stays until the next `solve`.
  mutating func forget() {
    for index in triangle.indices { triangle[index] = 0 }
    rows = 0
  }

  /// Adds a row: its features from `offset` on, its targets from `targetOffset` on.
  mutating func add(
    _ features: borrowing FloatBuffer, at offset: Int, _ targets: borrowing FloatBuffer, at targetOffset: Int
  ) {
    let (x, y) = (features.span, targets.span)
    for column in 0..<size - 1 { incoming[column] = Double(x[offset + column]) }
    incoming[size - 1] = 1
    for output in 0..<outputs { incoming[size + output] = Double(y[targetOffset + output]) }
    fade(forgetting.squareRoot())
    rotate()
    rows += 1
  }

  /// Adds rows that another one saw after these.
  mutating func merge(_ other: Self) {
    precondition(size == other.size && outputs == other.outputs, "\(other.size) columns into \(size)")
    fade(ScalarMath.power(forgetting.squareRoot(), Double(other.rows)))
    let stride = size + outputs
    for row in 0..<size {
      for column in 0..<stride { incoming[column] = other.triangle[row * stride + column] }
      rotate()
    }
    rows += other.rows
  }

  private mutating func fade(_ factor: Double) {
    guard factor < 1 else { return }
    for index in triangle.indices { triangle[index] *= factor }
  }

  private mutating func rotate() { Self.rotate(&incoming, into: &triangle, size: size) }

  /// Rotates a row into the triangle, as long as it: what is left of it is of no use.
  private static func rotate(_ incoming: inout [Double], into triangle: inout [Double], size: Int) {
    var matrix = triangle.mutableSpan
    var row = incoming.mutableSpan
    let stride = row.count
    for pivot in 0..<size where row[pivot] != 0 {
      let start = pivot * stride
      let (a, b) = (matrix[start + pivot], row[pivot])
      // Scaled, so that no square is out of range.
      let scale = max(a.magnitude, b.magnitude)
      let length = scale * ((a / scale) * (a / scale) + (b / scale) * (b / scale)).squareRoot()
      let (cosine, sine) = (a / length, b / length)
      matrix[start + pivot] = length
      for column in pivot + 1..<stride {
        let (above, below) = (matrix[start + column], row[column])
        matrix[start + column] = cosine * above + sine * below
        row[column] = cosine * below - sine * above
      }
    }
  }

  /// Computes the solution of the rows so far by back substitution. Weights that the rows do not decide are 0.
  mutating func solve() { Self.solve(triangle, into: &solution, least: &least, size: size, outputs: outputs) }

  private static func solve(
    _ triangle: [Double], into solution: inout [Double], least: inout [Double], size: Int, outputs: Int
  ) {
    let stride = size + outputs
    let matrix = triangle.span
    // What is left of a column once those before it are taken out, against the whole of it.
    for column in 0..<size {
      var squares = 0.0
      for row in 0...column { squares += matrix[row * stride + column] * matrix[row * stride + column] }
      least[column] = squares.squareRoot() * 0x1p-44
    }
    var result = solution.mutableSpan
    for output in 0..<outputs {
      for row in (0..<size).reversed() {
        let diagonal = matrix[row * stride + row]
        guard diagonal.magnitude > least[row] else {
          result[output * size + row] = 0
          continue
        }
        var sum = matrix[row * stride + size + output]
        for column in row + 1..<size { sum -= matrix[row * stride + column] * result[output * size + column] }
        result[output * size + row] = sum / diagonal
      }
    }
  }

  /// What the solution says of a row, for one output.
  func prediction(_ features: borrowing FloatBuffer, at offset: Int, output: Int) -> Double {
    let (x, w) = (features.span, solution.span)
    var sum = w[output * size + size - 1]
    for column in 0..<size - 1 { sum += w[output * size + column] * Double(x[offset + column]) }
    return sum
  }
}

extension RecursiveLeastSquares {
  /// The rows as numbers that ranks can exchange: their count and the triangle.
  var encoded: [Double] { [Double(rows)] + triangle }

  /// Takes rows from numbers of one with the same sizes.
  mutating func decode(_ numbers: [Double]) throws(OnlineError) {
    guard numbers.count == triangle.count + 1, let count = Int(exactly: numbers[0]), count >= 0 else {
      throw OnlineError("\(numbers.count) numbers of a triangle of \(size) columns and \(outputs) outputs")
    }
    rows = count
    triangle = Array(numbers[1...])
  }

  var json: JSONValue { .object([("triangle", .bits(encoded)), ("solution", .bits(solution))]) }

  /// Goes on where the one that gave `state` was.
  mutating func resume(_ state: StateReader) throws(OnlineError) {
    try decode(state.doubles("triangle"))
    solution = try state.doubles("solution", count: solution.count)
  }
}
