Answering machines: where the carrier detects them, a call is ended or leaves a message after the beep (options machine_detection and machine_message).
