import Inference
import JSONText
import Testing

/// Whole streams as they stand on the wire: what a provider sends, what its client reads.
@Suite struct TranslatedGoldenTests {
  private func run(_ stream: String, from wire: ProviderWire, to route: InferenceRoute) -> String {
    var options = TranslatedRun.options
    options.echo = Array("\"temperature\":1.0,".utf8)
    return TranslatedRun(Array(stream.utf8), from: wire, to: route, rewriter: UnchangedText(), options: options).out
  }

  private static let gemini = """
    data: {"candidates": [{"content": {"parts": [{"text": "Think", "thought": true}], "role": "model"}, "index": 0}], "usageMetadata": {"promptTokenCount": 9}}

    data: {"candidates": [{"content": {"parts": [{"text": "See."}, {"functionCall": {"name": "find", "args": {"q": "a\\n"}, "id": "g1"}, "thoughtSignature": "A+/="}, {"functionCall": {"name": "now", "args": {}}}], "role": "model"}, "finishReason": "STOP", "index": 0}], "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 5, "thoughtsTokenCount": 2, "totalTokenCount": 16}}


    """

  @Test func geminiToChat() {
    let head = #"data: {"id":"chatcmpl_ID","object":"chat.completion.chunk","created":9,"model":"alias","choices":["#
    let tail = #","finish_reason":null}],"usage":null}"#
    #expect(
      run(Self.gemini, from: .gemini, to: .chat) == """
        \(head){"index":0,"delta":{"role":"assistant","content":""}\(tail)

        \(head){"index":0,"delta":{"reasoning":"Think","reasoning_content":"Think"}\(tail)

        \(head){"index":0,"delta":{"content":"See."}\(tail)

        \(head){"index":0,"delta":{"tool_calls":[{"index":0,"id":"g1~ts~A-_","type":"function","extra_content":{"google":{"thought_signature":"A+/="}},"function":{"name":"find","arguments":""}}]}\(tail)

        \(head){"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\\"q\\": \\"a\\\\n\\"}"}}]}\(tail)

        \(head){"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_ID_1","type":"function","function":{"name":"now","arguments":""}}]}\(tail)

        \(head){"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]}\(tail)

        \(head){"index":0,"delta":{},"finish_reason":"tool_calls"}],"usage":null}

        \(head)],"usage":{"prompt_tokens":9,"completion_tokens":7,"total_tokens":16,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"completion_tokens_details":{"reasoning_tokens":2}}}

        data: [DONE]


        """)
  }

  @Test func geminiToMessages() {
    #expect(
      run(Self.gemini, from: .gemini, to: .messages) == """
        event: message_start
        data: {"type":"message_start","message":{"id":"msg_ID","type":"message","role":"assistant","model":"alias","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":11,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}}

        event: ping
        data: {"type":"ping"}

        event: content_block_start
        data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Think"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":0}

        event: content_block_start
        data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"See."}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":1}

        event: content_block_start
        data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"g1~ts~A-_","name":"find","input":{}}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\\"q\\": \\"a\\\\n\\"}"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":2}

        event: content_block_start
        data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"call_ID_1","name":"now","input":{}}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{}"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":3}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":7,"output_tokens_details":{"thinking_tokens":2}}}

        event: message_stop
        data: {"type":"message_stop"}


        """)
  }

  @Test func messagesToResponses() {
    let stream = """
      event: message_start
      data: {"type":"message_start","message":{"usage":{"input_tokens":4,"cache_read_input_tokens":5,"output_tokens":1}}}

      event: content_block_start
      data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

      event: content_block_delta
      data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}

      event: content_block_stop
      data: {"type":"content_block_stop","index":0}

      event: content_block_start
      data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":"find","input":{}}}

      event: content_block_delta
      data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\\"q\\":"}}

      event: content_block_stop
      data: {"type":"content_block_stop","index":1}

      event: message_delta
      data: {"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":7}}

      event: message_stop
      data: {"type":"message_stop"}


      """
    let response = #""response":{"id":"resp_ID","object":"response","created_at":9,"status":"#
    let rest = #","error":null,"incomplete_details":null,"model":"alias","temperature":1.0,"output":[],"usage":null}"#
    let text = #"{"type":"output_text","text":"Hi","annotations":[],"logprobs":[]}"#
    let message = #"{"id":"msg_ID_0","type":"message","status":"completed","role":"assistant","content":[\#(text)]}"#
    let call =
      #"{"id":"fc_ID_1","type":"function_call","status":"incomplete","call_id":"toolu_1","name":"find","arguments":"{\"q\":"}"#
    #expect(
      run(stream, from: .messages, to: .responses) == """
        event: response.created
        data: {"type":"response.created",\(response)"in_progress"\(rest),"sequence_number":0}

        event: response.in_progress
        data: {"type":"response.in_progress",\(response)"in_progress"\(rest),"sequence_number":1}

        event: response.output_item.added
        data: {"type":"response.output_item.added","output_index":0,"item":{"id":"msg_ID_0","type":"message","status":"in_progress","role":"assistant","content":[]},"sequence_number":2}

        event: response.content_part.added
        data: {"type":"response.content_part.added","item_id":"msg_ID_0","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]},"sequence_number":3}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","item_id":"msg_ID_0","output_index":0,"content_index":0,"delta":"Hi","logprobs":[],"sequence_number":4}

        event: response.output_text.done
        data: {"type":"response.output_text.done","item_id":"msg_ID_0","output_index":0,"content_index":0,"text":"Hi","logprobs":[],"sequence_number":5}

        event: response.content_part.done
        data: {"type":"response.content_part.done","item_id":"msg_ID_0","output_index":0,"content_index":0,"part":\(text),"sequence_number":6}

        event: response.output_item.done
        data: {"type":"response.output_item.done","output_index":0,"item":\(message),"sequence_number":7}

        event: response.output_item.added
        data: {"type":"response.output_item.added","output_index":1,"item":{"id":"fc_ID_1","type":"function_call","status":"in_progress","call_id":"toolu_1","name":"find","arguments":""},"sequence_number":8}

        event: response.function_call_arguments.delta
        data: {"type":"response.function_call_arguments.delta","item_id":"fc_ID_1","output_index":1,"delta":"{\\"q\\":","sequence_number":9}

        event: response.function_call_arguments.done
        data: {"type":"response.function_call_arguments.done","item_id":"fc_ID_1","output_index":1,"name":"find","arguments":"{\\"q\\":","sequence_number":10}

        event: response.output_item.done
        data: {"type":"response.output_item.done","output_index":1,"item":\(call),"sequence_number":11}

        event: response.incomplete
        data: {"type":"response.incomplete",\(response)"incomplete","error":null,"incomplete_details":{"reason":"max_output_tokens"},"model":"alias","temperature":1.0,"output":[\(message),\(call)],"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":5,"cache_write_tokens":0},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":16}},"sequence_number":12}


        """)
  }

  @Test func provenThinkingOfConverseToMessages() {
    let bytes =
      ProviderScript.frame("messageStart", "{\"role\":\"assistant\"}")
      + ProviderScript.frame("contentBlockDelta", "{\"delta\":{\"reasoningContent\":{\"redactedContent\":\"eA==\"}}}")
      + ProviderScript.frame("contentBlockStop", "{\"contentBlockIndex\":0}")
      + ProviderScript.frame(
        "contentBlockDelta", "{\"delta\":{\"reasoningContent\":{\"text\":\"a[P_\"}},\"contentBlockIndex\":1}")
      + ProviderScript.frame(
        "contentBlockDelta", "{\"delta\":{\"reasoningContent\":{\"signature\":\"s\"}},\"contentBlockIndex\":1}")
      + ProviderScript.frame("messageStop", "{\"stopReason\":\"end_turn\"}")
    let run = TranslatedRun(bytes, from: .converse, to: .messages, rewriter: MarkRestorer())
    let event = ProviderScript.event
    let wanted =
      event("content_block_start", ",\"index\":0,\"content_block\":{\"type\":\"redacted_thinking\",\"data\":\"eA==\"}")
      + event("content_block_stop", ",\"index\":0")
      + event(
        "content_block_start",
        ",\"index\":1,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}")
      + event("content_block_delta", ",\"index\":1,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"a\"}")
      // Held text goes out before its proof.
      + event("content_block_delta", ",\"index\":1,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"[P_\"}")
      + event("content_block_delta", ",\"index\":1,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"s\"}")
      + event("content_block_stop", ",\"index\":1")
    #expect(run.stream.isComplete && run.out.contains(ClientScript.ping + wanted + "event: message_delta"))
  }
}
