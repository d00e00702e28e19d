import Gateway
import Routing

/// How a provider's secret travels: in a header line, never in a URL.
struct ProviderCredential: Sendable {
  enum Form: Sendable { case bearer, apiKey, xAPIKey, google }

  private let secret: String?
  private let isVertex: Bool
  /// Of a Bedrock provider whose secret is a pair, `ACCESS-KEY:SECRET-KEY`; a Bedrock API key is carried as it is.
  let signature: UpstreamTarget.Signature?

  init(_ provider: Provider, _ secret: String?) {
    let pair = secret?.split(separator: ":", maxSplits: 1) ?? []
    if provider.adapter == .bedrock, pair.count == 2, let region = provider.traits.awsRegion {
      signature = UpstreamTarget.Signature(
        region: region, service: "bedrock", accessKey: String(pair[0]), secretKey: String(pair[1]))
      self.secret = nil
    } else {
      signature = nil
      self.secret = secret
    }
    isVertex = provider.endpoint.host.hasSuffix("aiplatform.googleapis.com")
  }

  func lines(_ form: Form) -> [String] {
    guard let secret else { return [] }
    switch form {
    case .bearer: return ["authorization: Bearer \(secret)"]
    case .apiKey: return ["api-key: \(secret)"]
    case .xAPIKey: return ["x-api-key: \(secret)"]
    // Vertex takes tokens of OAuth, the Gemini API keys.
    case .google: return [isVertex ? "authorization: Bearer \(secret)" : "x-goog-api-key: \(secret)"]
    }
  }
}

/// A name as one segment of a URL's path (RFC 3986): whatever a register or a client writes there stays inside it.
enum PathSegment {
  static func encoded(_ name: String) -> String {
    var out = ""
    for byte in name.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
        out.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        out += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }
    // A segment of dots alone would climb.
    return out.allSatisfy { $0 == "." } ? String(repeating: "%2E", count: out.count) : out
  }
}
