import Failures
import Files
import Text

/// Predictions as a table: `prediction`, then `probability_<class>` or `score_<class>` of a classification.
final class CSVPredictionWriter: PredictionWriter {
  private let path: String
  private let partial: String
  private let schema: PredictionSchema
  /// The names of the classes as they stand in a field.
  private let classFields: [String]
  /// Nil once finished or given up.
  private var file: File?

  init(path: String, schema: PredictionSchema) throws {
    self.path = path
    self.schema = schema
    partial = FileSystem.partialPath(for: path)
    classFields = schema.classNames.map(csvField)
    do throws(FilesError) {
      file = try File.create(partial)
    } catch {
      throw Failure.writing(path, error)
    }
    try write(Self.header(schema).map(csvField).joined(separator: ",") + "\n")
  }

  deinit { abandon() }

  /// The names of the columns.
  static func header(_ schema: PredictionSchema) -> [String] {
    func numbered(_ name: String, _ count: Int) -> [String] { (0..<count).map { "\(name)_\($0)" } }
    guard schema.labels > 0 else { return schema.width == 1 ? ["prediction"] : numbered("prediction", schema.width) }
    let what = schema.numbers == .probabilities ? "probability" : "score"
    guard !schema.classNames.isEmpty else {
      return numbered("prediction", schema.labels) + numbered(what, schema.width)
    }
    return ["prediction"]
      + (schema.width == schema.classNames.count ? schema.classNames.map { "\(what)_\($0)" } : [what])
  }

  func append(_ block: PredictionBlock) throws {
    var text = ""
    for row in 0..<block.numbers.count / schema.width {
      var isFirst = true
      for label in block.labels[row * schema.labels..<(row + 1) * schema.labels] {
        if !isFirst { text += "," }
        // A row without a prediction has empty fields.
        if label >= 0 { text += classFields.isEmpty ? String(label) : classFields[Int(label)] }
        isFirst = false
      }
      for number in block.numbers[row * schema.width..<(row + 1) * schema.width] {
        if !isFirst { text += "," }
        if !number.isNaN { text += number.description }
        isFirst = false
      }
      text += "\n"
    }
    try write(text)
  }

  func finish() throws {
    do throws(FilesError) {
      if let file = file.take() { try file.close() }
      try FileSystem.publish(partial, as: path)
    } catch {
      try? FileSystem.remove(partial)
      throw Failure.writing(path, error)
    }
  }

  func abandon() {
    guard file.take() != nil else { return }
    try? FileSystem.remove(partial)
  }

  private func write(_ text: String) throws {
    do throws(FilesError) {
      switch file {
      case .some(let file): try file.write(text)
      case .none: preconditionFailure("predictions for '\(path)', which is finished")
      }
    } catch {
      throw Failure.writing(path, error)
    }
  }
}
