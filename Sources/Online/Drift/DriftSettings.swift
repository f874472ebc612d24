/// The detectors that a job can name.
public enum DriftDetectorKind: String, CaseIterable, Sendable {
  case adwin, ddm
  case pageHinkley = "page_hinkley"
}

/// A detector with its numbers.
public enum DriftSettings: Equatable, Sendable {
  case adwin(ADWIN.Settings)
  case ddm(DDM.Settings)
  case pageHinkley(PageHinkley.Settings)

  /// The kind with River's defaults.
  public init(_ kind: DriftDetectorKind) {
    self =
      switch kind {
      case .adwin: .adwin(ADWIN.Settings())
      case .ddm: .ddm(DDM.Settings())
      case .pageHinkley: .pageHinkley(PageHinkley.Settings())
      }
  }

  public var kind: DriftDetectorKind {
    switch self {
    case .adwin: .adwin
    case .ddm: .ddm
    case .pageHinkley: .pageHinkley
    }
  }
}
