import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StreamingRecognizeRequest(_message.Message):
    __slots__ = ("recognizer", "streaming_config", "audio")
    RECOGNIZER_FIELD_NUMBER: _ClassVar[int]
    STREAMING_CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    recognizer: str
    streaming_config: StreamingRecognitionConfig
    audio: bytes
    def __init__(self, recognizer: _Optional[str] = ..., streaming_config: _Optional[_Union[StreamingRecognitionConfig, _Mapping]] = ..., audio: _Optional[bytes] = ...) -> None: ...

class StreamingRecognitionConfig(_message.Message):
    __slots__ = ("config", "streaming_features")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    STREAMING_FEATURES_FIELD_NUMBER: _ClassVar[int]
    config: RecognitionConfig
    streaming_features: StreamingRecognitionFeatures
    def __init__(self, config: _Optional[_Union[RecognitionConfig, _Mapping]] = ..., streaming_features: _Optional[_Union[StreamingRecognitionFeatures, _Mapping]] = ...) -> None: ...

class RecognitionConfig(_message.Message):
    __slots__ = ("features", "adaptation", "explicit_decoding_config", "model", "language_codes")
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    ADAPTATION_FIELD_NUMBER: _ClassVar[int]
    EXPLICIT_DECODING_CONFIG_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODES_FIELD_NUMBER: _ClassVar[int]
    features: RecognitionFeatures
    adaptation: SpeechAdaptation
    explicit_decoding_config: ExplicitDecodingConfig
    model: str
    language_codes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, features: _Optional[_Union[RecognitionFeatures, _Mapping]] = ..., adaptation: _Optional[_Union[SpeechAdaptation, _Mapping]] = ..., explicit_decoding_config: _Optional[_Union[ExplicitDecodingConfig, _Mapping]] = ..., model: _Optional[str] = ..., language_codes: _Optional[_Iterable[str]] = ...) -> None: ...

class ExplicitDecodingConfig(_message.Message):
    __slots__ = ("encoding", "sample_rate_hertz", "audio_channel_count")
    class AudioEncoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        AUDIO_ENCODING_UNSPECIFIED: _ClassVar[ExplicitDecodingConfig.AudioEncoding]
        LINEAR16: _ClassVar[ExplicitDecodingConfig.AudioEncoding]
        MULAW: _ClassVar[ExplicitDecodingConfig.AudioEncoding]
        ALAW: _ClassVar[ExplicitDecodingConfig.AudioEncoding]
    AUDIO_ENCODING_UNSPECIFIED: ExplicitDecodingConfig.AudioEncoding
    LINEAR16: ExplicitDecodingConfig.AudioEncoding
    MULAW: ExplicitDecodingConfig.AudioEncoding
    ALAW: ExplicitDecodingConfig.AudioEncoding
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HERTZ_FIELD_NUMBER: _ClassVar[int]
    AUDIO_CHANNEL_COUNT_FIELD_NUMBER: _ClassVar[int]
    encoding: ExplicitDecodingConfig.AudioEncoding
    sample_rate_hertz: int
    audio_channel_count: int
    def __init__(self, encoding: _Optional[_Union[ExplicitDecodingConfig.AudioEncoding, str]] = ..., sample_rate_hertz: _Optional[int] = ..., audio_channel_count: _Optional[int] = ...) -> None: ...

class RecognitionFeatures(_message.Message):
    __slots__ = ("profanity_filter", "enable_automatic_punctuation")
    PROFANITY_FILTER_FIELD_NUMBER: _ClassVar[int]
    ENABLE_AUTOMATIC_PUNCTUATION_FIELD_NUMBER: _ClassVar[int]
    profanity_filter: bool
    enable_automatic_punctuation: bool
    def __init__(self, profanity_filter: bool = ..., enable_automatic_punctuation: bool = ...) -> None: ...

class SpeechAdaptation(_message.Message):
    __slots__ = ("phrase_sets",)
    class AdaptationPhraseSet(_message.Message):
        __slots__ = ("inline_phrase_set",)
        INLINE_PHRASE_SET_FIELD_NUMBER: _ClassVar[int]
        inline_phrase_set: PhraseSet
        def __init__(self, inline_phrase_set: _Optional[_Union[PhraseSet, _Mapping]] = ...) -> None: ...
    PHRASE_SETS_FIELD_NUMBER: _ClassVar[int]
    phrase_sets: _containers.RepeatedCompositeFieldContainer[SpeechAdaptation.AdaptationPhraseSet]
    def __init__(self, phrase_sets: _Optional[_Iterable[_Union[SpeechAdaptation.AdaptationPhraseSet, _Mapping]]] = ...) -> None: ...

class PhraseSet(_message.Message):
    __slots__ = ("phrases",)
    class Phrase(_message.Message):
        __slots__ = ("value", "boost")
        VALUE_FIELD_NUMBER: _ClassVar[int]
        BOOST_FIELD_NUMBER: _ClassVar[int]
        value: str
        boost: float
        def __init__(self, value: _Optional[str] = ..., boost: _Optional[float] = ...) -> None: ...
    PHRASES_FIELD_NUMBER: _ClassVar[int]
    phrases: _containers.RepeatedCompositeFieldContainer[PhraseSet.Phrase]
    def __init__(self, phrases: _Optional[_Iterable[_Union[PhraseSet.Phrase, _Mapping]]] = ...) -> None: ...

class StreamingRecognitionFeatures(_message.Message):
    __slots__ = ("enable_voice_activity_events", "interim_results", "endpointing_sensitivity")
    class EndpointingSensitivity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ENDPOINTING_SENSITIVITY_UNSPECIFIED: _ClassVar[StreamingRecognitionFeatures.EndpointingSensitivity]
        ENDPOINTING_SENSITIVITY_STANDARD: _ClassVar[StreamingRecognitionFeatures.EndpointingSensitivity]
        ENDPOINTING_SENSITIVITY_SUPERSHORT: _ClassVar[StreamingRecognitionFeatures.EndpointingSensitivity]
        ENDPOINTING_SENSITIVITY_SHORT: _ClassVar[StreamingRecognitionFeatures.EndpointingSensitivity]
    ENDPOINTING_SENSITIVITY_UNSPECIFIED: StreamingRecognitionFeatures.EndpointingSensitivity
    ENDPOINTING_SENSITIVITY_STANDARD: StreamingRecognitionFeatures.EndpointingSensitivity
    ENDPOINTING_SENSITIVITY_SUPERSHORT: StreamingRecognitionFeatures.EndpointingSensitivity
    ENDPOINTING_SENSITIVITY_SHORT: StreamingRecognitionFeatures.EndpointingSensitivity
    ENABLE_VOICE_ACTIVITY_EVENTS_FIELD_NUMBER: _ClassVar[int]
    INTERIM_RESULTS_FIELD_NUMBER: _ClassVar[int]
    ENDPOINTING_SENSITIVITY_FIELD_NUMBER: _ClassVar[int]
    enable_voice_activity_events: bool
    interim_results: bool
    endpointing_sensitivity: StreamingRecognitionFeatures.EndpointingSensitivity
    def __init__(self, enable_voice_activity_events: bool = ..., interim_results: bool = ..., endpointing_sensitivity: _Optional[_Union[StreamingRecognitionFeatures.EndpointingSensitivity, str]] = ...) -> None: ...

class StreamingRecognizeResponse(_message.Message):
    __slots__ = ("speech_event_type", "results")
    class SpeechEventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SPEECH_EVENT_TYPE_UNSPECIFIED: _ClassVar[StreamingRecognizeResponse.SpeechEventType]
        END_OF_SINGLE_UTTERANCE: _ClassVar[StreamingRecognizeResponse.SpeechEventType]
        SPEECH_ACTIVITY_BEGIN: _ClassVar[StreamingRecognizeResponse.SpeechEventType]
        SPEECH_ACTIVITY_END: _ClassVar[StreamingRecognizeResponse.SpeechEventType]
    SPEECH_EVENT_TYPE_UNSPECIFIED: StreamingRecognizeResponse.SpeechEventType
    END_OF_SINGLE_UTTERANCE: StreamingRecognizeResponse.SpeechEventType
    SPEECH_ACTIVITY_BEGIN: StreamingRecognizeResponse.SpeechEventType
    SPEECH_ACTIVITY_END: StreamingRecognizeResponse.SpeechEventType
    SPEECH_EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    speech_event_type: StreamingRecognizeResponse.SpeechEventType
    results: _containers.RepeatedCompositeFieldContainer[StreamingRecognitionResult]
    def __init__(self, speech_event_type: _Optional[_Union[StreamingRecognizeResponse.SpeechEventType, str]] = ..., results: _Optional[_Iterable[_Union[StreamingRecognitionResult, _Mapping]]] = ...) -> None: ...

class StreamingRecognitionResult(_message.Message):
    __slots__ = ("alternatives", "is_final", "stability", "result_end_offset")
    ALTERNATIVES_FIELD_NUMBER: _ClassVar[int]
    IS_FINAL_FIELD_NUMBER: _ClassVar[int]
    STABILITY_FIELD_NUMBER: _ClassVar[int]
    RESULT_END_OFFSET_FIELD_NUMBER: _ClassVar[int]
    alternatives: _containers.RepeatedCompositeFieldContainer[SpeechRecognitionAlternative]
    is_final: bool
    stability: float
    result_end_offset: _duration_pb2.Duration
    def __init__(self, alternatives: _Optional[_Iterable[_Union[SpeechRecognitionAlternative, _Mapping]]] = ..., is_final: bool = ..., stability: _Optional[float] = ..., result_end_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SpeechRecognitionAlternative(_message.Message):
    __slots__ = ("transcript", "confidence")
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    transcript: str
    confidence: float
    def __init__(self, transcript: _Optional[str] = ..., confidence: _Optional[float] = ...) -> None: ...
