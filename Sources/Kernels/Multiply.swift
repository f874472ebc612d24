import CBLAS
import CTiles
import Glibc

/// Matrix products of a dense layer: the one door to the tiles of `CTiles` and to the BLAS.
///
/// Shapes: `x` batch × inputs, `W` outputs × inputs, `y` and `d` (a gradient with respect to `y`) batch × outputs;
/// row-major. Which routine runs depends on shapes alone, and nothing is read from a result that is not accumulated
/// into, so that a product is a function of its operands bit for bit.
///
/// A build for processors with AVX-512 computes its products itself, others (and debug builds) in the BLAS, on one
/// thread, since ranks share the cores of a node, unless `OPENBLAS_NUM_THREADS` or `OMP_NUM_THREADS` asks for more; then
/// large products go to the BLAS everywhere.
/// Measured on one core of an AMD EPYC (Zen 5), GFLOP/s forward / gradient of x / gradient of W; OpenBLAS 0.3.21 with
/// its AVX-512 and its AVX2 kernels (`OPENBLAS_CORETYPE`), oneDNN 2.6 as `dnnl_sgemm`:
///
///     rows, outputs, inputs   tiles             OpenBLAS         ... with AVX2     oneDNN
///     16, 10, 784             203 / 198 / 218   188 / 215 / 225   49 / 89 / 80      48 / 182 / 180
///     128, 10, 784            216 / 205 / 237    64 / 149 / 94    65 / 95 / 54     104 / 206 / 212
///     64, 64, 64              224 / 239 / 240   166 / 245 / 248  103 / 112 / 113   156 / 221 / 218
///     128, 512, 784           228 / 236 / 248   205 / 226 / 232  116 / 118 / 121   237 / 250 / 249
///     256, 1024, 1024         228 / 226 / 242   213 / 216 / 228  118 / 118 / 121   216 / 230 / 238
///     256, 4096, 4096         186 / 198 / 229   198 / 206 / 225  114 / 117 / 116   201 / 222 / 242
///
/// oneDNN is nowhere more than 12% faster and often slower, and would be one more library of 39 MB with three of its own:
/// it is not used.
public enum Multiply {
  /// `y = x Wᵀ`, or `y += x Wᵀ` where `accumulate` is set.
  public static func forward(
    _ x: borrowing FloatBuffer, _ xView: MatrixView, weights: borrowing FloatBuffer, _ weightsView: MatrixView,
    into y: inout FloatBuffer, _ yView: MatrixView, accumulate: Bool = false
  ) {
    let (batch, inputs, outputs) = (xView.rows, xView.columns, weightsView.rows)
    check(weightsView, outputs, inputs, yView, batch, outputs)
    check(x.count, xView, weights.count, weightsView, y.count, yView)
    if batch == 0 || outputs == 0 { return }
    if batch == 1 || outputs == 1 {
      // One row or one output: each element of y is one dot product.
      let (matrix, matrixView, vector, step) =
        outputs == 1
        ? unsafe (x.base, xView, weights.base + weightsView.offset, yView.rowStride)
        : unsafe (weights.base, weightsView, x.base + xView.offset, 1)
      unsafe dots(
        matrix + matrixView.offset, matrixView, vector, into: y.base + yView.offset, step: step, accumulate: accumulate)
      return
    }
    unsafe product(
      transposed: (false, true), batch, outputs, inputs, x.base, xView, weights.base, weightsView, y.base, yView,
      accumulate)
  }

  /// `dx = d W`, or `dx += d W` where `accumulate` is set: the gradient with respect to the inputs.
  public static func inputGradient(
    _ d: borrowing FloatBuffer, _ dView: MatrixView, weights: borrowing FloatBuffer, _ weightsView: MatrixView,
    into dx: inout FloatBuffer, _ dxView: MatrixView, accumulate: Bool = false
  ) {
    let (batch, outputs, inputs) = (dView.rows, dView.columns, weightsView.columns)
    check(weightsView, outputs, inputs, dxView, batch, inputs)
    check(d.count, dView, weights.count, weightsView, dx.count, dxView)
    if batch == 0 || inputs == 0 { return }
    if outputs == 1 {
      unsafe outer(
        d.base + dView.offset, step: dView.rowStride, weights.base + weightsView.offset, into: dx.base + dxView.offset,
        dxView, accumulate: accumulate)
    } else if batch == 1 {
      unsafe combination(
        d.base + dView.offset, step: 1, weights.base + weightsView.offset, weightsView, into: dx.base + dxView.offset,
        accumulate: accumulate)
    } else {
      unsafe product(
        transposed: (false, false), batch, inputs, outputs, d.base, dView, weights.base, weightsView, dx.base, dxView,
        accumulate)
    }
  }

  /// `g = dᵀ x`, or `g += dᵀ x` where `accumulate` is set: the gradient with respect to the weights, summed over the
  /// rows.
  public static func weightGradient(
    _ d: borrowing FloatBuffer, _ dView: MatrixView, _ x: borrowing FloatBuffer, _ xView: MatrixView,
    into g: inout FloatBuffer, _ gView: MatrixView, accumulate: Bool
  ) {
    let (batch, outputs, inputs) = (dView.rows, dView.columns, xView.columns)
    check(xView, batch, inputs, gView, outputs, inputs)
    check(d.count, dView, x.count, xView, g.count, gView)
    if outputs == 0 || inputs == 0 { return }
    if batch == 0 {
      // A sum of nothing.
      if accumulate { return }
      for row in 0..<outputs {
        unsafe (g.base + gView.offset + row * gView.rowStride).update(repeating: 0, count: inputs)
      }
    } else if outputs == 1 {
      unsafe combination(
        d.base + dView.offset, step: dView.rowStride, x.base + xView.offset, xView, into: g.base + gView.offset,
        accumulate: accumulate)
    } else if batch == 1 {
      unsafe outer(
        d.base + dView.offset, step: 1, x.base + xView.offset, into: g.base + gView.offset, gView,
        accumulate: accumulate)
    } else {
      unsafe product(
        transposed: (true, false), outputs, inputs, batch, d.base, dView, x.base, xView, g.base, gView, accumulate)
    }
  }

  private static func check(
    _ operand: MatrixView, _ operandRows: Int, _ operandColumns: Int, _ result: MatrixView, _ resultRows: Int,
    _ resultColumns: Int
  ) {
    precondition(
      operand.rows == operandRows && operand.columns == operandColumns,
      "an operand of \(operand.rows) x \(operand.columns), \(operandRows) x \(operandColumns) expected")
    precondition(
      result.rows == resultRows && result.columns == resultColumns,
      "a result of \(result.rows) x \(result.columns), \(resultRows) x \(resultColumns) expected")
  }

  private static func check(
    _ first: Int, _ firstView: MatrixView, _ second: Int, _ secondView: MatrixView, _ result: Int,
    _ resultView: MatrixView
  ) {
    firstView.check(within: first)
    secondView.check(within: second)
    resultView.check(within: result)
    // The BLAS counts in 32 bits.
    for view in [firstView, secondView, resultView] {
      precondition(max(view.rows, view.rowStride) <= Int(Int32.max), "\(view.rows) rows, stride \(view.rowStride)")
    }
  }
}

// MARK: - The routines

extension Multiply {
  /// Whether the environment asks for more than one thread.
  static let asksForThreads = ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"].contains { name in
    guard let value = unsafe getenv(name) else { return false }
    return unsafe atoi(value) > 1
  }

  /// Sets the number of BLAS threads; its value is taken once, by the first product.
  private static let threads: Void = {
    if !asksForThreads { openblas_set_num_threads(1) }
  }()

  /// With no more outputs, or rows, than this and no fewer inputs each element of `x Wᵀ` is a dot product of its own.
  static let (fewOutputs, fewInputs) = (16, 64)

  /// Whether products are computed here: where the processor has AVX-512. (Not in debug builds, where the BLAS alone is
  /// fast.)
  #if DEBUG
    static let usesTiles = false
  #else
    static let usesTiles = APUS_HAS_TILES == 1
  #endif

  /// `c = op(a) op(b)` or `c += op(a) op(b)`: `rows` × `columns`, over `depth`.
  private static func product(
    transposed: (Bool, Bool), _ rows: Int, _ columns: Int, _ depth: Int, _ a: UnsafeMutablePointer<Float>,
    _ aView: MatrixView, _ b: UnsafeMutablePointer<Float>, _ bView: MatrixView, _ c: UnsafeMutablePointer<Float>,
    _ cView: MatrixView, _ accumulate: Bool
  ) {
    // Threads are worth waking only for many operations.
    if usesTiles && !(asksForThreads && rows * columns * depth > 1 << 22) {
      let few = min(rows, columns) <= fewOutputs && depth >= fewInputs
      if few && transposed == (false, true) {
        unsafe apus_dot_products(
          rows, columns, depth, a + aView.offset, aView.rowStride, nil, b + bView.offset, bView.rowStride,
          c + cView.offset, cView.rowStride, accumulate ? 1 : 0)
      } else {
        unsafe apus_product(
          rows, columns, depth, a + aView.offset, transposed.0 ? 1 : aView.rowStride,
          transposed.0 ? aView.rowStride : 1, b + bView.offset, bView.rowStride, transposed.1 ? 1 : 0, c + cView.offset,
          cView.rowStride, accumulate ? 1 : 0)
      }
      return
    }
    _ = threads
    unsafe cblas_sgemm(
      CblasRowMajor, transposed.0 ? CblasTrans : CblasNoTrans, transposed.1 ? CblasTrans : CblasNoTrans,
      Int32(rows), Int32(columns), Int32(depth), 1, a + aView.offset, Int32(max(1, aView.rowStride)), b + bView.offset,
      Int32(max(1, bView.rowStride)), accumulate ? 1 : 0, c + cView.offset, Int32(max(1, cView.rowStride)))
  }

  /// `y[r] = matrix[r] · vector` for every row.
  private static func dots(
    _ matrix: UnsafeMutablePointer<Float>, _ view: MatrixView, _ vector: UnsafeMutablePointer<Float>,
    into y: UnsafeMutablePointer<Float>, step: Int, accumulate: Bool
  ) {
    if usesTiles {
      unsafe apus_dots(
        view.rows, view.columns, matrix, view.rowStride, nil, vector, y, step, accumulate ? 1 : 0)
      return
    }
    var row = 0
    while row + 4 <= view.rows {
      let four = unsafe Reduce.laneDots(
        matrix + row * view.rowStride, rowStride: view.rowStride, vector, count: view.columns)
      for index in 0..<4 {
        let place = (row + index) * step
        unsafe y[place] = accumulate ? y[place] + four[index] : four[index]
      }
      row += 4
    }
    while row < view.rows {
      let dot = unsafe Reduce.laneDot(matrix + row * view.rowStride, vector, count: view.columns)
      unsafe y[row * step] = accumulate ? y[row * step] + dot : dot
      row += 1
    }
  }

  /// `y = Σ factors[r] · matrix[r]`: a sum of rows.
  private static func combination(
    _ factors: UnsafeMutablePointer<Float>, step: Int, _ matrix: UnsafeMutablePointer<Float>, _ view: MatrixView,
    into y: UnsafeMutablePointer<Float>, accumulate: Bool
  ) {
    if usesTiles {
      unsafe apus_combination(
        view.rows, view.columns, factors, step, matrix, view.rowStride, nil, 0, y, accumulate ? 1 : 0)
      return
    }
    if !accumulate { unsafe y.update(repeating: 0, count: view.columns) }
    // Four rows at a time, so that y is read and written once for four products.
    var row = 0
    while row + 4 <= view.rows {
      let first = unsafe matrix + row * view.rowStride
      let second = unsafe first + view.rowStride
      let third = unsafe second + view.rowStride
      let fourth = unsafe third + view.rowStride
      let a = unsafe factors[row * step]
      let b = unsafe factors[(row + 1) * step]
      let c = unsafe factors[(row + 2) * step]
      let d = unsafe factors[(row + 3) * step]
      for column in 0..<view.columns {
        let sum = unsafe y[column].addingProduct(a, first[column]).addingProduct(b, second[column])
        unsafe y[column] = sum.addingProduct(c, third[column]).addingProduct(d, fourth[column])
      }
      row += 4
    }
    while row < view.rows {
      let line = unsafe matrix + row * view.rowStride
      let factor = unsafe factors[row * step]
      for column in 0..<view.columns { unsafe y[column] = y[column].addingProduct(factor, line[column]) }
      row += 1
    }
  }

  /// `y[r] = factors[r] · vector` for every row: an outer product.
  private static func outer(
    _ factors: UnsafeMutablePointer<Float>, step: Int, _ vector: UnsafeMutablePointer<Float>,
    into y: UnsafeMutablePointer<Float>, _ view: MatrixView, accumulate: Bool
  ) {
    for row in 0..<view.rows {
      let line = unsafe y + row * view.rowStride
      let factor = unsafe factors[row * step]
      if accumulate {
        for column in 0..<view.columns { unsafe line[column] = line[column].addingProduct(factor, vector[column]) }
      } else {
        for column in 0..<view.columns { unsafe line[column] = factor * vector[column] }
      }
    }
  }
}
