/// Which grammar a text is read by.
public enum JSONDialect: Sendable {
  /// RFC 8259, strictly: what programs write.
  case json
  /// JSON5 (spec.json5.org, version 1.0.0): what people write. Comments, trailing commas, unquoted keys, single quotes,
  /// hexadecimal numbers, a leading `+`, a leading or trailing decimal point, line continuations, `NaN` and `Infinity`.
  case json5
}
