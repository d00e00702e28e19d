import Inference

/// How a form goes to a provider.
public enum FormTarget {
  /// The same for all: its boundary is ours.
  public static let contentType = "content-type: multipart/form-data; boundary=\(FormBoundary.own)"
}
