import Model

extension ParameterLayout.Entry {
  var isReplicated: Bool { false }
  func segments(of part: Range<Int>) -> [(offset: Int, local: Range<Int>)] {
    [(part.lowerBound - range.lowerBound, part)]
  }
}
