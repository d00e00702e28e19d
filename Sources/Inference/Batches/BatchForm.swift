public import JSONText

/// The form by which a client uploads the input of a batch, and the one by which it goes on to a provider.
public struct BatchForm {
  /// Where the file's content lies in the body.
  public let file: ByteRange

  /// - Parameter boundary: As the request's content type names it.
  public init(_ body: UnsafeRawBufferPointer, boundary: [UInt8]) throws(InferenceError) {
    let form: FormReader
    do throws(FormReader.Fault) { form = try FormReader(body, boundary: boundary) } catch {
      throw InferenceError(
        .invalidValue, message: "The body is not acceptable multipart/form-data: \(error.reason).",
        detail: "\(error.reason)")
    }
    var file: ByteRange?
    var hasPurpose = false
    for part in form.parts {
      let name = part.name.of(body)
      if name.equals("file"), file == nil {
        guard !part.content.isEmpty else {
          throw InferenceError(.invalidValue, param: "file", message: "'file' must not be empty.")
        }
        file = part.content
      } else if name.equals("purpose"), !hasPurpose {
        guard part.content.of(body).equals("batch") else {
          throw InferenceError(
            .invalidValue, param: "purpose",
            message: "Only files with purpose 'batch' are taken here: files that lie with a provider are not supported."
          )
        }
        hasPurpose = true
      } else {
        throw InferenceError(
          .unsupportedParameter,
          message: "The form has a field twice, or one that is neither 'file' nor 'purpose'. Leave it out.")
      }
    }
    guard hasPurpose else {
      throw InferenceError(.missingRequiredParameter, param: "purpose", message: "'purpose' is missing; it is 'batch'.")
    }
    guard let file else {
      throw InferenceError(.missingRequiredParameter, param: "file", message: "'file' is missing.")
    }
    // What stands in a file may not look like its end to the next reader.
    guard !file.of(body).contains(FormBoundary.own) else {
      throw InferenceError(
        .invalidValue, param: "file", message: "'file' holds the mark that parts fields here.")
    }
    self.file = file
  }

  /// What stands in front of the file on its way to a provider. Its name is ours: a client's may name a person.
  public static func appendHead(to out: ByteArena) {
    out.append(utf8: "--\(FormBoundary.own)\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n")
    out.append(
      utf8: "--\(FormBoundary.own)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(fileName)\"\r\n"
        + "Content-Type: application/jsonl\r\n\r\n")
  }

  public static func appendTail(to out: ByteArena) { out.append(utf8: "\r\n--\(FormBoundary.own)--\r\n") }

  /// What every file is called.
  public static let fileName = "batch.jsonl"

  /// The lines of a file, without their ends.
  /// - Parameter most: How many there may be.
  public static func lines(_ file: ByteRange, of body: UnsafeRawBufferPointer, most: Int) throws(InferenceError)
    -> [ByteRange]
  {
    var lines: [ByteRange] = []
    var start = file.start
    while start < file.end {
      var end = start
      while end < file.end, body[end] != 0x0A { end += 1 }
      let isCut = end > start && body[end - 1] == 0x0D
      // Between JSON's tokens it is white space; to a reader that ends lines at it, what follows is a line of its own.
      guard !ByteRange(start, isCut ? end - 1 : end).of(body).contains(0x0D) else {
        throw InferenceError(
          .invalidValue, param: "file", message: "Line \(lines.count + 1): it holds a carriage return.")
      }
      guard lines.count < most else {
        throw InferenceError(.invalidValue, param: "file", message: "'file' has more than \(most) lines.")
      }
      lines.append(ByteRange(start, isCut ? end - 1 : end))
      start = end + 1
    }
    while let last = lines.last, last.isEmpty { lines.removeLast() }
    guard !lines.isEmpty else {
      throw InferenceError(.invalidValue, param: "file", message: "'file' has no lines.")
    }
    return lines
  }
}
