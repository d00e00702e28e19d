import HTTPTypes
import Hummingbird
import NIOCore

/// Turns Hummingbird's requests into ours and our answers into its; decides nothing.
struct AdminResponder: HTTPResponder {
  typealias Context = AdminContext

  let dispatcher: AdminDispatcher

  func respond(to request: Request, context: AdminContext) async throws -> Response {
    let body = request.body
    let answer = await dispatcher.respond(
      to: AdminRequest(
        method: request.method.rawValue, target: request.head.path ?? "", host: request.head.authority,
        authorization: request.headers[.authorization], contentType: request.headers[.contentType],
        peer: context.peer, body: { limit in try await Self.collect(body, upTo: limit) }))
    var fields = HTTPFields()
    for (name, value) in answer.headers.sorted(by: { $0.key < $1.key }) {
      if let name = HTTPField.Name(name) { fields[name] = value }
    }
    if !answer.contentType.isEmpty { fields[.contentType] = answer.contentType }
    return Response(
      status: .init(code: answer.status), headers: fields, body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
  }

  private static func collect(_ body: RequestBody, upTo limit: Int) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await part in body {
      guard part.readableBytes <= limit - bytes.count else {
        throw AdminError(.bodyTooLarge, "the body is larger than \(limit) bytes")
      }
      bytes.append(contentsOf: part.readableBytesView)
    }
    return bytes
  }
}

/// What a connection tells about a request: its peer.
struct AdminContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let peer: String

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    peer = source.channel.remoteAddress?.ipAddress ?? ""
  }
}
