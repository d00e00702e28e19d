// libnghttp2: HTTP/2's frames, header compression and state machine.
#ifndef TORHAUS_CNGHTTP2_SHIM_H
#define TORHAUS_CNGHTTP2_SHIM_H

#include <nghttp2/nghttp2.h>

// All streams of a session take turns, whatever their client would like better. 0 on success.
static inline int th_nghttp2_take_turns(nghttp2_session *session, int32_t stream) {
  nghttp2_extpri priority = {NGHTTP2_EXTPRI_DEFAULT_URGENCY, 1};
  return nghttp2_session_change_extpri_stream_priority(session, stream, &priority, 1);
}

#endif
