import Testing
import Text

@Suite struct QuantityTests {
  @Test(arguments: [
    (0, "0 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"), (1_536, "1.5 KiB"), (10_188, "9.9 KiB"), (10_189, "10 KiB"),
    (1_048_575, "1.0 MiB"), (1_048_576, "1.0 MiB"), (139 << 30, "139 GiB"), (-2_048, "-2.0 KiB"),
    (.max, "8.0 EiB"), (.min, "-8.0 EiB"),
  ])
  func byteCounts(_ n: Int, _ text: String) {
    #expect(bytes(n) == text)
  }

  @Test(arguments: [
    (0, "0 s"), (1e-9, "0.0 us"), (250e-6, "250 us"), (0.012, "12 ms"), (0.999_4, "999 ms"), (0.999_6, "1.0 s"),
    (3.21, "3.2 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (307, "5 min 07 s"), (3_599.4, "59 min 59 s"),
    (3_599.6, "1 h 00 min"), (3_720, "1 h 02 min"), (86_369, "23 h 59 min"), (86_371, "1 d 00 h"),
    (273_600, "3 d 04 h"),
    (1e9, "11,574 d 02 h"), (1e300, "forever"), (.infinity, "forever"), (-3.21, "-3.2 s"), (.nan, "unknown"),
  ])
  func durations(_ seconds: Double, _ text: String) {
    #expect(duration(seconds) == text)
  }
}
