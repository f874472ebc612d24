import Data
import Failures
import Files
import JSON
import Kernels
import MPI
import Online
import Training

/// What a rank needs to go on where it was; `stream.json` of a checkpoint has that of every rank.
struct RankState {
  var learner: JSONValue
  /// The model beside the old one, where there is one.
  var fresh: JSONValue?
  var score: JSONValue
  var featureDrift: JSONValue?
  var positions: [SourcePosition]

  var json: JSONValue {
    .object([
      ("learner", learner), ("fresh", fresh ?? .null), ("score", score), ("feature_drift", featureDrift ?? .null),
      ("positions", .array(positions.map(\.json))),
    ])
  }
}

/// The state of a whole stream, as a checkpoint holds it.
struct StreamState {
  /// Rows learned, by all ranks.
  var rows = 0
  /// Seconds that the stream was read for.
  var seconds = 0.0
  var columns: [String] = []
  var inputs = 0
  /// The names of all classes; empty for a regression, and in checkpoints from before classes could be added.
  var classes: [String] = []
  /// Nil where the job watches for no drift.
  var drift: JSONNode?
  /// By rank.
  var ranks: [JSONNode] = []

  static let fileName = "stream.json"
  private static let mostBytes = 1 << 31
  private static let mostValues = 100_000_000

  /// The positions of all sources.
  func positions() throws(DataError) -> [String: SourcePosition] {
    var found: [String: SourcePosition] = [:]
    for rank in ranks {
      for node in rank["positions"]?.asArray ?? [] {
        let position = try SourcePosition(node)
        found[position.path] = position
      }
    }
    return found
  }

  /// Writes a checkpoint; complete or not there. On rank 0.
  /// - Returns: what is wrong with the older checkpoints, which were to be removed; empty where nothing is.
  func write(
    to store: CheckpointStore, _ parameters: borrowing FloatBuffer, _ description: ModelDescription,
    _ sample: StreamSample?
  ) throws -> String {
    let folder = try store.begin()
    do {
      let model = try ModelFile.write(parameters, description, to: FileSystem.join(folder, ModelFile.name))
      let bytes = Array(json.serialized(pretty: false).utf8)
      try FileSystem.write(bytes, to: FileSystem.join(folder, Self.fileName))
      let state = CheckpointManifest.Entry(name: Self.fileName, bytes: bytes.count, checksum: Checksum(of: bytes).hex)
      return try store.commit(step: rows, [model, state] + (try sample?.write(into: folder) ?? []))
    } catch {
      store.giveUp()
      throw error
    }
  }

  private var json: JSONValue {
    .object([
      ("rows", .integer(rows)), ("seconds", .number(seconds)), ("columns", .array(columns.map { .string($0) })),
      ("inputs", .integer(inputs)), ("classes", .array(classes.map { .string($0) })),
      ("drift", drift?.value ?? .null), ("ranks", .array(ranks.map(\.value))),
    ])
  }

  /// The state of the newest checkpoint that is whole; nil where there is none. Collective.
  static func newest(
    _ store: CheckpointStore, world: borrowing Communicator, warn: (String) -> Void
  ) throws -> StreamState? {
    let bytes = try Agreement.fromRoot(world) {
      guard let folder = try store.newest(warn: warn) else { return [] }
      let path = FileSystem.join(folder, fileName)
      guard try FileSystem.status(of: path) != nil else {
        throw Failure(
          .invalidData, "'\(folder)' is the checkpoint of a training, not of a stream",
          hint: "choose another output, or --overwrite")
      }
      return try FileSystem.read(path, limit: mostBytes)
    }
    guard !bytes.isEmpty else { return nil }
    return try Agreement.alike { try StreamState(parsing: bytes) }
  }

  init() {}

  private init(parsing bytes: [UInt8]) throws(DataError) {
    let invalid = DataError(.invalid, "the state of the stream in the checkpoint cannot be understood")
    guard let root = try? JSONNode(parsing: bytes, dialect: .json, valueLimit: Self.mostValues),
      let rows = root["rows"]?.asInt, rows >= 0, let inputs = root["inputs"]?.asInt, inputs > 0,
      let ranks = root["ranks"]?.asArray, !ranks.isEmpty
    else { throw invalid }
    self.rows = rows
    self.inputs = inputs
    self.ranks = ranks
    seconds = root["seconds"]?.asDouble ?? 0
    columns = (root["columns"]?.asArray ?? []).compactMap(\.asString)
    classes = (root["classes"]?.asArray ?? []).compactMap(\.asString)
    drift = root["drift"].flatMap { $0.isNull ? nil : $0 }
  }
}
