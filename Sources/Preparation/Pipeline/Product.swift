/// A product of columns as they come out of their transformations.
struct Product: Equatable, Sendable {
  /// More than this many are refused.
  static let most = 100_000

  /// Places of the columns in the pipeline; one that stands several times is a power.
  let columns: [Int]

  /// `a^2*b`.
  func name(_ names: [String]) -> String {
    var factors: [(name: String, power: Int)] = []
    for column in columns {
      if factors.last?.name == names[column] {
        factors[factors.count - 1].power += 1
      } else {
        factors.append((names[column], 1))
      }
    }
    return factors.map { $0.power == 1 ? $0.name : "\($0.name)^\($0.power)" }.joined(separator: "*")
  }

  /// All products of 2 to `degree` of the columns, by degree and then in the order of the columns; nil if there are too many.
  static func all(of columns: [Int], degree: Int, withPowers: Bool) -> [Product]? {
    var products: [Product] = []
    // Each with the place of its last factor, from which it may be continued.
    var last = columns.indices.map { (factors: [columns[$0]], place: $0) }
    for _ in 2...max(degree, 2) {
      var next: [(factors: [Int], place: Int)] = []
      for (factors, place) in last {
        for place in (withPowers ? place : place + 1)..<max(columns.count, withPowers ? place : place + 1) {
          next.append((factors + [columns[place]], place))
          if products.count + next.count > most { return nil }
        }
      }
      products += next.map { Product(columns: $0.factors) }
      last = next
    }
    return products
  }
}
