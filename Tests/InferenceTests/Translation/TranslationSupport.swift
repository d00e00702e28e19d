import Inference
import JSONText

/// What came of one translation.
struct Translated: Equatable {
  var body = ""
  var dropped: [String] = []
  var error: InferenceError?
}

func translated(_ body: String, of route: InferenceRoute, to target: RequestTranslation.Target) -> Translated {
  translated(Array(body.utf8), of: route, to: target)
}

func translated(_ body: [UInt8], of route: InferenceRoute, to target: RequestTranslation.Target) -> Translated {
  withBytes(body) { bytes in
    let out = ByteArena()
    out.append("before")
    do throws(InferenceError) {
      let dropped = try RequestTranslation.translate(bytes, of: route, to: target, into: out)
      return Translated(body: String(out.text.dropFirst(6)), dropped: dropped)
    } catch {
      // What was in the arena stays, and nothing half written with it.
      return Translated(body: out.text == "before" ? "" : out.text, error: error)
    }
  }
}

/// Every pair of dialects that is translated.
let translatedPairs: [(route: InferenceRoute, wire: ProviderWire)] = [
  (.chat, .messages), (.chat, .gemini), (.chat, .converse), (.responses, .chat), (.responses, .messages),
  (.responses, .gemini), (.responses, .converse), (.messages, .chat), (.messages, .gemini), (.messages, .converse),
]
