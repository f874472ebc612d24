import Testing
import Text

@Suite struct ClosestTests {
  let keys = ["learning_rate", "momentum", "batch_size", "epochs", "seed", "beta1", "beta2", "l1", "l2"]

  @Test(arguments: [
    ("learning-rate", "learning_rate"), ("Learning_Rate", "learning_rate"), ("lerning_rate", "learning_rate"),
    ("learnign_rate", "learning_rate"), ("momentun", "momentum"), ("batchsize", "batch_size"), ("epoch", "epochs"),
    ("sede", "seed"), ("beta3", "beta1"),
  ])
  func slips(_ word: String, _ meant: String) {
    #expect(closest(to: word, among: keys) == meant)
  }

  @Test(arguments: ["", "x", "optimizer", "rate", String(repeating: "seed", count: 1_000)])
  func strangers(_ word: String) {
    #expect(closest(to: word, among: keys) == nil)
  }

  @Test func theNearerOneWins() {
    #expect(closest(to: "trian", among: ["brain", "train"]) == "train")
    #expect(closest(to: "a", among: []) == nil)
  }
}
