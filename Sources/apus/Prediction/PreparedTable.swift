import Failures
import Kernels
import Model
import Preparation
import Training

/// A CSV file, whose rows come as a model wants them.
final class PreparedTable {
  /// One of the two: rows as they are, or prepared as the model says.
  private var plain: CSVRows?
  private var raw: RawRows?
  private let wantsTarget: Bool
  private var targets = FloatBuffer(count: 0)
  /// What separates the fields; nil where that is found out.
  let delimiter: UInt8?
  let dialect: CSVDialect

  /// - Throws: `Failure` where the columns are not those of the model; `PreparationError` where the file cannot be read.
  init(_ path: String, _ description: ModelDescription, _ purpose: CleanBlock.Purpose) throws {
    let given = Self.delimiter(of: path)
    wantsTarget = purpose == .learning
    if wantsTarget, description.target == nil {
      throw Failure(
        .invalidData, "the model does not say which column of '\(path)' it predicts",
        hint: "a model that is trained on a data set of apus prepare knows; evaluate others on HDF5 files")
    }
    if let fitted = try description.fittedPipeline() {
      // How numbers are written belongs to the data set; what separates the fields may differ from file to file.
      delimiter = given ?? fitted.dialect.rareDelimiter
      dialect = fitted.dialect
      raw = try RawRows(path: path, fitted, for: purpose, delimiter: delimiter)
      return
    }
    delimiter = given
    dialect = CSVDialect()
    var names = description.columns
    if names.isEmpty {
      // A model of HDF5 files without names: the columns are taken as they come, and there must be as many.
      names = try CSVRows.columns(of: path, delimiter: delimiter)
      guard names.count == description.model.inputs else {
        throw Failure(
          .invalidData,
          "'\(path)' has \(names.count) columns, and the model was trained on \(description.model.inputs)",
          hint:
            "the model knows no names of columns, so the file must have just those of its training, in their order")
      }
    }
    let classes = description.classNames
    plain = try CSVRows(
      path: path, columns: names, target: wantsTarget ? description.target : nil,
      classes: classes.isEmpty ? nil : classes, delimiter: delimiter)
  }

  /// Goes to the blocks of text from `block` on and before `end`.
  func move(to block: Int, before end: Int, _ index: RecordIndex) throws(PreparationError) {
    let (start, border) = (index.start(of: block), index.start(of: end))
    plain?.move(to: start, before: border)
    guard let rows = raw?.historyRows else { return }
    try raw?.move(to: start, before: border, historyFrom: index.start(of: index.block(with: rows, before: block)))
  }

  /// Reads up to `count` rows to the start of `features`, and a number of each row to `extras`; fewer only at the end.
  func read(_ count: Int, into features: inout FloatBuffer, _ extras: inout [Float]) throws(PreparationError) {
    if raw != nil {
      _ = try raw?.next(count, features: &features, extras: &extras)
      return
    }
    if wantsTarget, targets.count < count { targets = FloatBuffer(count: count) }
    let rows = try plain?.next(count, features: &features, targets: &targets) ?? 0
    extras = wantsTarget ? targets.values(in: 0..<rows) : [Float](repeating: 1, count: rows)
  }

  /// A tab where the ending says so; otherwise it is found out.
  private static func delimiter(of path: String) -> UInt8? {
    [".tsv", ".tsv.gz"].contains { path.lowercased().hasSuffix($0) } ? UInt8(ascii: "\t") : nil
  }
}
