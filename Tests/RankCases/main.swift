// Cases that need several ranks: `mpirun -n N RankCases [limit=COUNT] [meeting=SECONDS] [stopped] NAME...` runs the named cases in order, in one
// program, and exits with 0 where every rank finds what it expects. Without a name it lists them.
//
// A file of cases adds its table here.
import Glibc
import MPI

let tables = [
  collectiveCases, messageCases, pendingCases, communicatorCases, faultCases, trainingCases, parallelCases, tensorCases,
  layoutCases, sharedWindowCases, gridStepCases, sharedFileCases, preparationCases, wireCases,
]

var names = CommandLine.arguments.dropFirst()
if let limit = names.first?.split(separator: "="), limit.count == 2, limit[0] == "limit", let count = Int(limit[1]) {
  Pieces.limit = count
  names = names.dropFirst()
}
var meeting: CallLimit?
if let limit = names.first?.split(separator: "="), limit.count == 2, limit[0] == "meeting",
  let seconds = Double(limit[1])
{
  meeting = CallLimit(seconds: seconds) { call in
    Program.endAll(code: 76) { print("rank \(Program.launchedRank ?? 0) waits in \(call)") }
  }
  names = names.dropFirst()
}
if names.first == "stopped" {
  if Program.launchedRank == 1 { raise(SIGSTOP) }
  names = names.dropFirst()
}
let cases = Dictionary(uniqueKeysWithValues: tables.joined().map { ($0.name, $0) })

if names.isEmpty {
  print(cases.keys.sorted().joined(separator: "\n"))
} else {
  Program.run(
    limit: meeting,
    report: { error, rank in
      print("rank \(rank): \(error)")
      return (error as? CaseFailure)?.exitCode ?? 70
    },
    { world in
      var code: Int32 = 0
      for name in names {
        guard let one = cases[name] else { throw CaseFailure("there is no case '\(name)'", exitCode: 64) }
        do {
          code = max(code, try one.body(world))
        } catch let error as CaseFailure {
          throw CaseFailure("\(name): \(error.message)", exitCode: error.exitCode)
        }
      }
      return code
    })
}
