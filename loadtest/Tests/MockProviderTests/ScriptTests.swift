import Testing

@testable import MockProvider

@Suite struct ScriptTests {
  @Test(arguments: [
    ("mock-echo", Script.Kind.echo), ("mock-fast", .fixed), ("mock-stream", .fixed), ("mock-slow", .echo),
    ("mock-tool", .tool), ("mock-no-usage", .echo), ("mock-error-429", .error(429)), ("mock-error-599", .error(599)),
    ("mock-error-399", .echo), ("mock-error-600", .echo), ("mock-error-", .echo), ("mock-error-4x9", .echo),
    ("mock-cut-stream", .cut), ("mock-cut-plain", .cut), ("mock-reset", .reset), ("mock-garbage", .garbage),
    ("mock-garbage-body", .garbageBody), ("mock-hang", .hang), ("gpt-5", .echo), ("", .echo),
  ])
  func nameChoosesTheKindAndUnknownNamesEcho(name: String, kind: Script.Kind) {
    #expect(Script(model: name).kind == kind)
  }

  @Test(arguments: ["mock-stream;chunks=7;delay=20;size=64", "mock-stream:chunks=7,delay=20,size=64"])
  func settingsAreReadWithEverySeparator(name: String) {
    let script = Script(model: name)
    #expect(script.deltaCount == 7 && script.delayMilliseconds == 20 && script.size == 64)
  }

  @Test func badSettingsAreIgnored() {
    #expect(
      Script(model: "mock-echo;chunk=x;delay=-1;split;=3;size=99999999999999999999") == Script(model: "mock-echo"))
  }

  @Test func boundsHold() {
    let script = Script(model: "mock-fast;size=999999999;delay=99999999999;chunk=0;chunks=0")
    #expect(script.size == Script.sizeLimit && script.delayMilliseconds == Script.delayLimitMilliseconds)
    #expect(script.deltaScalars == 1 && script.deltaCount == 1)
  }

  @Test func slowTakesItsDelayAsWait() {
    #expect(Script(model: "mock-slow").waitMilliseconds == 500)
    #expect(Script(model: "mock-slow;delay=7").waitMilliseconds == 7)
    #expect(Script(model: "mock-slow;delay=7").delayMilliseconds == 0)
  }

  @Test func headerSettingsWinOverTheName() {
    var script = Script(model: "mock-echo;chunk=4")
    script.apply(settings: "script=mock-error-500; chunk=2")
    #expect(script.kind == .error(500) && script.deltaScalars == 2)
  }
}
