import Foundation
import Preparation
import Streaming
import TestSupport
import Testing
import Training

@Suite struct ReadmeTests {
  @Test func theTableOfKeysIsTheOneThatIsParsed() throws {
    let readme = try String(contentsOfFile: PackageRoot.file("README.md"), encoding: .utf8)
    let begin = try #require(readme.range(of: "<!-- keys: begin -->\n"))
    let end = try #require(readme.range(of: "<!-- keys: end -->"))
    #expect(String(readme[begin.upperBound..<end.lowerBound]) == JobKey.reference)
  }

  @Test func theTableOfRecipeKeysIsTheOneThatIsParsed() throws {
    let readme = try String(contentsOfFile: PackageRoot.file("README.md"), encoding: .utf8)
    let begin = try #require(readme.range(of: "<!-- recipe keys: begin -->\n"))
    let end = try #require(readme.range(of: "<!-- recipe keys: end -->"))
    #expect(String(readme[begin.upperBound..<end.lowerBound]) == Recipe.reference)
  }

  @Test func theTableOfStreamKeysIsTheOneThatIsParsed() throws {
    let readme = try String(contentsOfFile: PackageRoot.file("README.md"), encoding: .utf8)
    let begin = try #require(readme.range(of: "<!-- stream keys: begin -->\n"))
    let end = try #require(readme.range(of: "<!-- stream keys: end -->"))
    #expect(String(readme[begin.upperBound..<end.lowerBound]) == StreamKeys.reference)
  }

  @Test func theTwoCommandsComeFirst() throws {
    let readme = try String(contentsOfFile: PackageRoot.file("README.md"), encoding: .utf8)
    let demo = try #require(readme.range(of: "Scripts/demo"))
    let test = try #require(readme.range(of: "Scripts/test"))
    let other = try #require(readme.range(of: "apus train"))
    #expect(demo.lowerBound < other.lowerBound && test.lowerBound < other.lowerBound)
  }
}
