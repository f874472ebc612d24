import CFuzzer
import Glibc

// APUS_READER=json Fuzz [OPTION of libFuzzer]... [CORPUS]
//
// The reader is no argument, since libFuzzer starts the program again with its own arguments.
guard let name = getenv("APUS_READER"), let wanted = Reader(rawValue: String(cString: name)) else {
  print("APUS_READER is one of", Reader.allCases.map(\.rawValue).joined(separator: " "))
  exit(64)
}
let reader = wanted
var words = CommandLine.arguments.map { strdup($0) } + [nil]
var count = Int32(words.count - 1)
let code = words.withUnsafeMutableBufferPointer { words in
  var pointer = words.baseAddress
  return LLVMFuzzerRunDriver(&count, &pointer) { data, size in
    reader.read(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
  }
}
exit(code)
