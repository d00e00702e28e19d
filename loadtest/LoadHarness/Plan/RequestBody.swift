/// The JSON body of the requests, made from a template and a prompt of a given size.
package struct RequestBody: Sendable {
  /// `{{model}}`, `{{prompt}}`, `{{stream}}` and `{{tools}}` are filled in.
  package static let defaultTemplate =
    #"{"model":"{{model}}","messages":[{"role":"system","content":"Answer briefly."},"#
    + #"{"role":"user","content":"{{prompt}}"}],"stream":{{stream}}{{tools}}}"#

  package var template = Self.defaultTemplate
  package var model = "mock-fast"
  /// What the prompt begins with, such as a directive to the scripted provider; no quotes or backslashes.
  package var promptPrefix = ""
  /// Bytes of UTF-8 in the prompt, prefix included.
  package var promptBytes = 2_048
  /// Whether a sentence with personal data comes about every 2 KB: the reference prompt.
  package var hasPersonalData = true
  /// Values of personal data per KiB instead, evenly spread and each different; 0 for none.
  package var findingsPerKiB: Double?
  /// Functions that the model may call.
  package var tools = 0

  package init() {}

  /// The body's bytes.
  package func bytes(isStream: Bool) -> [UInt8] {
    let values = ["model": model, "prompt": prompt(), "stream": isStream ? "true" : "false", "tools": toolsText()]
    var text = ""
    var rest = template[...]
    while let open = rest.firstRange(of: "{{"), let close = rest[open.upperBound...].firstRange(of: "}}") {
      let name = String(rest[open.upperBound..<close.lowerBound])
      text += rest[..<open.lowerBound]
      text += values[name] ?? String(rest[open.lowerBound..<close.upperBound])
      rest = rest[close.upperBound...]
    }
    text += rest
    return Array(text.utf8)
  }

  /// Plain business prose in ASCII, exactly ``promptBytes`` long; needs no JSON escapes.
  func prompt() -> String {
    let plain =
      "Please read the minutes of the meeting and write a short summary for the board. The delivery is late again, "
      + "the supplier asks for patience and offers a rebate on the next order. We would like to know which clause of "
      + "the contract applies, what the usual practice is and which letter should go out this week. "
    if let findingsPerKiB { return densePrompt(plain, findingsPerKiB) }
    let personal =
      "Contact: Anna Beispiel, anna.beispiel@example.org, phone +49 30 901820, IBAN DE89 3704 0044 0532 0130 00, "
      + "born on 12.03.1984, invoice 2026-1147. "
    var text = promptPrefix
    text.reserveCapacity(promptBytes + 512)
    var blocks = 0
    while text.utf8.count < promptBytes {
      if hasPersonalData, blocks % 6 == 0 { text += personal }
      text += plain
      blocks += 1
    }
    return String(text.prefix(max(0, promptBytes)))
  }

  /// Whole words of prose with a value of personal data each time that the density asks for the next one.
  private func densePrompt(_ plain: String, _ perKiB: Double) -> String {
    let words = plain.split(separator: " ")
    var text = promptPrefix
    text.reserveCapacity(promptBytes + 64)
    let begin = text.utf8.count
    var values = 0
    var word = 0
    while text.utf8.count < promptBytes {
      let due = perKiB * Double(text.utf8.count - begin) / 1_024
      // A value needs its space: one that would be cut at the end is none.
      if perKiB > 0, Double(values) <= due, promptBytes - text.utf8.count > 64 {
        text += PersonalData.sentence(values)
        values += 1
      } else {
        text += words[word % words.count]
        text += " "
        word += 1
      }
    }
    return String(text.prefix(max(0, promptBytes)))
  }

  private func toolsText() -> String {
    guard tools > 0 else { return "" }
    let list = (0..<tools).map { index in
      #"{"type":"function","function":{"name":"lookup_\#(index)","description":"Looks a record up in register \#(index)."#
        + #"","parameters":{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}}}"#
    }
    return #","tools":[\#(list.joined(separator: ","))]"#
  }
}
