import Testing

@testable import Frontend

@Suite("Refusals of a request's framing")
struct HTTPFaultTests {
  static let all: [(fault: HTTPFault, status: UInt16)] = [
    (.malformedRequestLine, 400), (.malformedTarget, 400), (.targetTooLong, 414), (.unsupportedVersion, 505),
    (.unsupportedMethod, 405), (.malformedField, 400), (.fieldTooLarge, 431), (.headTooLarge, 431),
    (.tooManyFields, 431), (.duplicateField, 400), (.ambiguousField, 400), (.missingHost, 400), (.malformedHost, 400),
    (.unknownScheme, 400), (.malformedLength, 400), (.malformedEncoding, 400), (.conflictingFraming, 400),
    (.bodyNotAllowed, 400),
    (.bodyTooLarge, 413), (.malformedChunk, 400), (.unsupportedExpectation, 417), (.headTimeout, 408),
    (.bodyTimeout, 408),
  ]

  @Test(arguments: all)
  func hasTheStatusThatTheDesignNames(fault: HTTPFault, status: UInt16) { #expect(fault.status == status) }

  @Test func messagesAreSentencesOfTheirOwn() {
    let messages = Self.all.map(\.fault.message)
    #expect(Set(messages).count == messages.count)
    for message in messages {
      #expect(message.hasSuffix("."))
      // They stand inside a JSON string and in a terminal.
      #expect(message.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }, "\(message)")
    }
  }
}
