internal import Files

/// The files that ranks put rows aside in, beside the shards until these are written.
enum RowSpill {
  static let nameEnding = ".rows"
  static func featuresName(rank: Int) -> String { "features-\(rank)\(nameEnding)" }
  static func targetsName(rank: Int) -> String { "targets-\(rank)\(nameEnding)" }
  /// One byte a row: the place of its split in `SplitName.allCases`.
  static func routesName(rank: Int) -> String { "routes-\(rank)\(nameEnding)" }

  /// Removes the rows that all ranks have put aside.
  static func remove(from directory: String) throws(PreparationError) {
    try PreparationError.translating { () throws(FilesError) in
      for name in try FileSystem.list(directory) where name.hasSuffix(nameEnding) {
        try FileSystem.remove(FileSystem.join(directory, name))
      }
    }
  }
}
