package import JSONText

/// Writes a request of one dialect in another (`api.md` section 11): nothing is lost in silence.
package enum RequestTranslation {
  /// What of the target is known beside the request.
  package struct Target: Sendable {
    package var wire: ProviderWire
    /// The candidate's name of the model.
    package var model: String
    /// The limit that the reservation assumed; written always.
    package var maxTokens: Int64
    package var maxTokensField: TokenLimitField
    package var includeUsage: Bool
    /// Stands for the person; nil: nobody is named.
    package var userHash: [UInt8]?
    /// Members of the target's body that the provider refuses: left out and named.
    package var deniedFields: [String]

    package init(
      wire: ProviderWire, model: String, maxTokens: Int64, maxTokensField: TokenLimitField = .maxCompletionTokens,
      includeUsage: Bool = true, userHash: [UInt8]? = nil, deniedFields: [String] = []
    ) {
      self.wire = wire
      self.model = model
      self.maxTokens = maxTokens
      self.maxTokensField = maxTokensField
      self.includeUsage = includeUsage
      self.userHash = userHash
      self.deniedFields = deniedFields
    }
  }

  /// - Parameters:
  ///   - body: Of a route that ``RequestScan`` has accepted; redacted since.
  ///   - out: Gets the target's body.
  /// - Returns: The paths of what was not carried, for `x-torhaus-dropped`.
  /// - Throws: ``InferenceError`` where the target has no form for what the request cannot do without.
  package static func translate(
    _ body: UnsafeRawBufferPointer, of route: InferenceRoute, to target: Target, into out: ByteArena
  ) throws(InferenceError) -> [String] { [] }
}
