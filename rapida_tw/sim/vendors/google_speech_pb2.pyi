import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Request(_message.Message):
    __slots__ = ("recognizer", "streaming_config", "audio")
    RECOGNIZER_FIELD_NUMBER: _ClassVar[int]
    STREAMING_CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    recognizer: str
    streaming_config: StreamingConfig
    audio: bytes
    def __init__(self, recognizer: _Optional[str] = ..., streaming_config: _Optional[_Union[StreamingConfig, _Mapping]] = ..., audio: _Optional[bytes] = ...) -> None: ...

class StreamingConfig(_message.Message):
    __slots__ = ("config", "streaming_features")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    STREAMING_FEATURES_FIELD_NUMBER: _ClassVar[int]
    config: Config
    streaming_features: Features
    def __init__(self, config: _Optional[_Union[Config, _Mapping]] = ..., streaming_features: _Optional[_Union[Features, _Mapping]] = ...) -> None: ...

class Config(_message.Message):
    __slots__ = ("features", "adaptation", "auto_decoding_config", "explicit_decoding_config", "model", "language_codes")
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    ADAPTATION_FIELD_NUMBER: _ClassVar[int]
    AUTO_DECODING_CONFIG_FIELD_NUMBER: _ClassVar[int]
    EXPLICIT_DECODING_CONFIG_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODES_FIELD_NUMBER: _ClassVar[int]
    features: RecognitionFeatures
    adaptation: Adaptation
    auto_decoding_config: AutoDecoding
    explicit_decoding_config: Decoding
    model: str
    language_codes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, features: _Optional[_Union[RecognitionFeatures, _Mapping]] = ..., adaptation: _Optional[_Union[Adaptation, _Mapping]] = ..., auto_decoding_config: _Optional[_Union[AutoDecoding, _Mapping]] = ..., explicit_decoding_config: _Optional[_Union[Decoding, _Mapping]] = ..., model: _Optional[str] = ..., language_codes: _Optional[_Iterable[str]] = ...) -> None: ...

class AutoDecoding(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Decoding(_message.Message):
    __slots__ = ("encoding", "sample_rate_hertz", "audio_channel_count")
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HERTZ_FIELD_NUMBER: _ClassVar[int]
    AUDIO_CHANNEL_COUNT_FIELD_NUMBER: _ClassVar[int]
    encoding: int
    sample_rate_hertz: int
    audio_channel_count: int
    def __init__(self, encoding: _Optional[int] = ..., sample_rate_hertz: _Optional[int] = ..., audio_channel_count: _Optional[int] = ...) -> None: ...

class RecognitionFeatures(_message.Message):
    __slots__ = ("profanity_filter", "enable_word_time_offsets", "enable_word_confidence", "enable_automatic_punctuation")
    PROFANITY_FILTER_FIELD_NUMBER: _ClassVar[int]
    ENABLE_WORD_TIME_OFFSETS_FIELD_NUMBER: _ClassVar[int]
    ENABLE_WORD_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ENABLE_AUTOMATIC_PUNCTUATION_FIELD_NUMBER: _ClassVar[int]
    profanity_filter: bool
    enable_word_time_offsets: bool
    enable_word_confidence: bool
    enable_automatic_punctuation: bool
    def __init__(self, profanity_filter: bool = ..., enable_word_time_offsets: bool = ..., enable_word_confidence: bool = ..., enable_automatic_punctuation: bool = ...) -> None: ...

class Adaptation(_message.Message):
    __slots__ = ("phrase_sets",)
    PHRASE_SETS_FIELD_NUMBER: _ClassVar[int]
    phrase_sets: _containers.RepeatedCompositeFieldContainer[PhraseSetChoice]
    def __init__(self, phrase_sets: _Optional[_Iterable[_Union[PhraseSetChoice, _Mapping]]] = ...) -> None: ...

class PhraseSetChoice(_message.Message):
    __slots__ = ("phrase_set", "inline_phrase_set")
    PHRASE_SET_FIELD_NUMBER: _ClassVar[int]
    INLINE_PHRASE_SET_FIELD_NUMBER: _ClassVar[int]
    phrase_set: str
    inline_phrase_set: PhraseSet
    def __init__(self, phrase_set: _Optional[str] = ..., inline_phrase_set: _Optional[_Union[PhraseSet, _Mapping]] = ...) -> None: ...

class PhraseSet(_message.Message):
    __slots__ = ("phrases",)
    PHRASES_FIELD_NUMBER: _ClassVar[int]
    phrases: _containers.RepeatedCompositeFieldContainer[Phrase]
    def __init__(self, phrases: _Optional[_Iterable[_Union[Phrase, _Mapping]]] = ...) -> None: ...

class Phrase(_message.Message):
    __slots__ = ("value", "boost")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    BOOST_FIELD_NUMBER: _ClassVar[int]
    value: str
    boost: float
    def __init__(self, value: _Optional[str] = ..., boost: _Optional[float] = ...) -> None: ...

class Features(_message.Message):
    __slots__ = ("enable_voice_activity_events", "interim_results", "endpointing_sensitivity")
    ENABLE_VOICE_ACTIVITY_EVENTS_FIELD_NUMBER: _ClassVar[int]
    INTERIM_RESULTS_FIELD_NUMBER: _ClassVar[int]
    ENDPOINTING_SENSITIVITY_FIELD_NUMBER: _ClassVar[int]
    enable_voice_activity_events: bool
    interim_results: bool
    endpointing_sensitivity: int
    def __init__(self, enable_voice_activity_events: bool = ..., interim_results: bool = ..., endpointing_sensitivity: _Optional[int] = ...) -> None: ...

class Response(_message.Message):
    __slots__ = ("speech_event_type", "metadata", "results", "speech_event_offset")
    SPEECH_EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    SPEECH_EVENT_OFFSET_FIELD_NUMBER: _ClassVar[int]
    speech_event_type: int
    metadata: ResponseMetadata
    results: _containers.RepeatedCompositeFieldContainer[Result]
    speech_event_offset: _duration_pb2.Duration
    def __init__(self, speech_event_type: _Optional[int] = ..., metadata: _Optional[_Union[ResponseMetadata, _Mapping]] = ..., results: _Optional[_Iterable[_Union[Result, _Mapping]]] = ..., speech_event_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ResponseMetadata(_message.Message):
    __slots__ = ("total_billed_duration", "request_id")
    TOTAL_BILLED_DURATION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    total_billed_duration: _duration_pb2.Duration
    request_id: str
    def __init__(self, total_billed_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("alternatives", "is_final", "stability", "result_end_offset", "channel_tag", "language_code")
    ALTERNATIVES_FIELD_NUMBER: _ClassVar[int]
    IS_FINAL_FIELD_NUMBER: _ClassVar[int]
    STABILITY_FIELD_NUMBER: _ClassVar[int]
    RESULT_END_OFFSET_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_TAG_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    alternatives: _containers.RepeatedCompositeFieldContainer[Alternative]
    is_final: bool
    stability: float
    result_end_offset: _duration_pb2.Duration
    channel_tag: int
    language_code: str
    def __init__(self, alternatives: _Optional[_Iterable[_Union[Alternative, _Mapping]]] = ..., is_final: bool = ..., stability: _Optional[float] = ..., result_end_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., channel_tag: _Optional[int] = ..., language_code: _Optional[str] = ...) -> None: ...

class Alternative(_message.Message):
    __slots__ = ("transcript", "confidence")
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    transcript: str
    confidence: float
    def __init__(self, transcript: _Optional[str] = ..., confidence: _Optional[float] = ...) -> None: ...
