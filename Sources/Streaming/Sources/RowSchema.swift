/// What the rows of the sources are: which columns are features, and what is the target.
struct RowSchema: Equatable, Sendable {
  /// The features by name; all columns but the target where there are none.
  var columns: [String]
  /// The name of the target in texts.
  var target: String
  /// The names of the data sets of HDF5 files.
  var featuresDataset: String
  var targetsDataset: String
  /// The names of the classes; nil where the target is a number.
  var classes: [String]?
  /// The column, or the data set, that says when a row was made; nil where none does.
  var time: String?
}
