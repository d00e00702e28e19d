import Inference
import JSONText
import Quotas

/// Sound on its way from a provider to its client: bytes that pass as they come, piece by piece, and are not kept.
extension RequestPipeline {
  /// What the client is told that it gets is one of ours, whatever the provider calls it.
  func beginSound(_ exchange: Exchange, _ kind: UpstreamHead.ContentKind) {
    let type: SoundType
    switch kind {
    case .sound(let told): type = told
    case .octets: type = SoundType(exchange.scan.soundFormat)
    case .json, .eventStream, .amazonEventStream, .other:
      return fault(exchange, .malformed, exit: .upstreamCut, cancel: true)
    }
    exchange.stream.hasBegun = true
    exchange.stream.lastSentAt = clock.monotonicNanoseconds
    exchange.sound = type
    writeFields(exchange)
    exchange.status = 200
    exchange.client?.begin(ResponseHead(status: 200, kind: .sound(type)), fields: exchange.fields.bytes)
  }

  func relaySound(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer) {
    exchange.stream.receivedBytes += bytes.count
    guard exchange.stream.receivedBytes <= limits.streamBytes else {
      return fault(exchange, .malformed, exit: .upstreamCut, cancel: true)
    }
    exchange.client?.send(bytes)
    exchange.stream.lastSentAt = clock.monotonicNanoseconds
    holdBack(exchange)
  }

  /// What the log keeps instead of sound: what it was and how much. The words stand in the request's record, the sound
  /// is a hundred times their size, and nothing could be searched or redacted in it.
  func soundRecord(_ exchange: Exchange) -> [UInt8]? {
    guard let sound = exchange.sound else { return nil }
    let out = ByteArena(capacity: 64)
    out.append("{\"sound\":{\"type\":\"")
    out.append(sound.mediaType)
    out.append("\",\"bytes\":")
    Decimal.append(Int64(exchange.stream.receivedBytes), to: out)
    out.append("}}")
    return out.array
  }
}

extension Exchange {
  /// Sound has begun to come.
  var isSound: Bool { sound != nil }
}
