import Kernels
import Online

extension OnlineLearner {
  /// Multiplies all parameters by `weight`.
  func weigh(by weight: Float) {
    Elementwise.scale(&parameters, 0..<parameters.count, by: weight)
  }
}
