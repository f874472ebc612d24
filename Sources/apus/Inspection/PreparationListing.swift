import JSON
import Preparation
import Text

/// What was done to the raw rows of a data set or of a model's training, for people.
enum PreparationListing {
  /// More columns than this are left out.
  private static let mostColumns = 40

  /// Empty where nothing was done; says so where what was done is not understood.
  static func text(_ preparation: JSONValue?) -> String {
    guard let preparation else { return "" }
    let fitted: FittedPipeline
    do {
      fitted = try FittedPipeline(JSONNode(preparation))
    } catch {
      return "the preparation cannot be used: \(error.message)\n"
    }
    var table = Table([Table.Column("raw column"), Table.Column("what becomes of it")])
    if let target = fitted.targetWords {
      table.append([Listing.line(fitted.pipeline.target ?? ""), "learned as \(target)"])
    }
    let summary = fitted.summary
    for (column, what) in summary.prefix(mostColumns) { table.append([Listing.line(column), Listing.line(what)]) }
    let more = summary.count - mostColumns
    return table.rendered() + (more > 0 ? "and \(grouped(more)) more\n" : "")
  }
}
