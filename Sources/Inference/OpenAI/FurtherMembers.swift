/// The members of requests that are no conversation: one table for all such routes. A member of another route than the
/// request's is one that nobody knows.
enum FurtherMember: String, CaseIterable, Sendable {
  case model, user, metadata, stream
  case safetyIdentifier = "safety_identifier"
  case serviceTier = "service_tier"
  // Moderations
  case input
  // Rerank
  case query, documents
  case topN = "top_n"
  case returnDocuments = "return_documents"
  // Images
  case prompt, n, size, quality, style, background, moderation, image, images, mask
  case responseFormat = "response_format"
  case outputFormat = "output_format"
  case partialImages = "partial_images"
  // Speech
  case voice, speed, instructions
  case streamFormat = "stream_format"
}

enum DocumentMember: String, CaseIterable, Sendable {
  case text, image, audio, video, content
  case imageURL = "image_url"
}

extension Members {
  static let further = MemberTable<FurtherMember>()
  static let document = MemberTable<DocumentMember>()
}
