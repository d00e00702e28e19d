import Inference

/// How a form goes to a provider.
package enum FormTarget {
  /// The same for all: its boundary is ours.
  package static let contentType = "content-type: multipart/form-data; boundary=\(FormBoundary.own)"
}
