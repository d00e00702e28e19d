import Testing

@testable import LoadHarness
