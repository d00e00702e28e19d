import Testing

@testable import MockProvider
