/// How long tests wait, on machines that may be slow and that have other work to do.
///
/// A wait ends with what it waits for, so that patience costs nothing where the program is right.
public enum Patience {
  /// For what a right program does by itself, however long that takes on a busy machine.
  public static let most: Duration = .seconds(300)

  /// For what is to be over within seconds: the end of all ranks after a fault, a refusal. That takes less than five where nothing else runs;
  /// what hangs does so for minutes, or for ever.
  public static let seconds: Duration = .seconds(25)
}
