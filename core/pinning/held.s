# What a pinned process finds in place of its wall clocks and random devices: the code of tonesmith/pinning/code.py.
# On the one thread that called hold(), the wall clock moves on by a millisecond with each look, and by nothing else; what
# is random comes from a stream (splitmix64); and a wait until a time of that clock lasts as long as it would. Other
# threads, every thread before, and the code between two addresses, which is the interpreter's, get the truth.
#
# The code lies in one page and its data in the next, as core/pinning/shared_object.py lays them out. An entry has 128 bytes.
        .intel_syntax noprefix
        .set data, start + 0x1000
        .set dlsym, data            # both are filled by the dynamic linker
        .set dlvsym, data + 8
        .set thread, data + 16      # the thread that holds still, by its control block; 0 for none
        .set wall, data + 24        # nanoseconds since 1970
        .set seed, data + 32
        .set own, data + 40         # where the interpreter's code starts
        .set size, data + 48        # of it, in bytes
        .set found, data + 56       # the true functions, by entry; 0 for one that was not looked up yet
        .set EPOCH, 1767225600      # 2026-01-01 00:00 UTC

        .macro entry number
        .balign 128, 0xcc
        .set this, \number
        mov rax, fs:0
        cmp rax, [rip + thread]
        jne 9f
        mov rax, [rsp]
        sub rax, [rip + own]
        cmp rax, [rip + size]
        jb 9f
        .endm
        .macro true_one             # jump to the function that would have been called
9:      lea r11, [rip + found + 8 * this]
        lea r10, [rip + names + 48 * this]
        jmp pass
        .endm

        .macro until number, deadline   # a wait: a deadline by the held clock is told by the true one
        entry \number
        mov r10d, EPOCH
        mov rax, [\deadline]
        sub rax, r10
        shr rax, 32                 # what is earlier is no time of this clock, and what is much later is never
        jne 9f
        push rdi
        push rsi
        push rdx
        push rcx
        sub rsp, 24
        mov r9, \deadline
        call later
        mov rcx, [rsp + 24]
        mov rdx, [rsp + 32]
        mov rsi, [rsp + 40]
        mov rdi, [rsp + 48]
        mov \deadline, rsp
        call 9f
        add rsp, 56
        ret
        true_one
        .endm

        .text
start:
hold:   # void hold(int on, void *own, size_t size): begin anew on this thread, or end
        mov [rip + own], rsi
        mov [rip + size], rdx
        xor eax, eax
        test edi, edi
        je 1f
        mov rax, fs:0
1:      mov [rip + thread], rax
        movabs rax, EPOCH * 1000000000
        mov [rip + wall], rax
        mov qword ptr [rip + seed], 0
        ret

        entry 1                     # time_t time(time_t *)
        call now
        test rdi, rdi
        je 1f
        mov [rdi], rax
1:      ret
        true_one

        entry 2                     # int gettimeofday(struct timeval *, void *)
        call now
        test rdi, rdi
        je 1f
        mov [rdi], rax
        mov rax, rdx
        xor edx, edx
        mov ecx, 1000
        div rcx
        mov [rdi + 8], rax
1:      xor eax, eax
        ret
        true_one

        entry 3                     # int clock_gettime(clockid_t, struct timespec *): REALTIME, _COARSE, TAI
        test edi, edi
        je 1f
        cmp edi, 5
        je 1f
        cmp edi, 11
        jne 9f
1:      jmp told
        true_one

        entry 4                     # int timespec_get(struct timespec *, int base): TIME_UTC
        cmp esi, 1
        jne 9f
        call now
        mov [rdi], rax
        mov [rdi + 8], rdx
        mov eax, esi
        ret
        true_one

        entry 5                     # int ftime(struct timeb *)
        call now
        mov [rdi], rax
        mov qword ptr [rdi + 8], 0
        xor eax, eax
        ret
        true_one

        entry 6                     # ssize_t getrandom(void *, size_t, unsigned)
        mov r8, rsi
        call fill
        mov rax, r8
        ret
        true_one

        entry 7                     # int getentropy(void *, size_t)
        call fill
        xor eax, eax
        ret
        true_one

        entry 8                     # uint32_t arc4random(void)
        jmp draw
        true_one

        entry 9                     # void arc4random_buf(void *, size_t)
        jmp fill
        true_one

        entry 10                    # uint32_t arc4random_uniform(uint32_t)
        call draw
        mov eax, eax
        xor edx, edx
        test edi, edi
        je 1f
        div edi
1:      mov eax, edx
        ret
        true_one

        until 11, rdx               # int pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *, const struct timespec *)
        until 12, rcx               # int pthread_cond_clockwait(..., clockid_t, const struct timespec *)
        until 13, rsi               # int pthread_mutex_timedlock(pthread_mutex_t *, const struct timespec *)
        until 14, rsi               # int sem_timedwait(sem_t *, const struct timespec *)

        entry 15                    # std::chrono::system_clock::now(), libstdc++: nanoseconds
        jmp ticked
9:      jmp clock

        entry 16                    # the same of libc++: microseconds
        call ticked
        jmp 1f
9:      call clock
1:      xor edx, edx
        mov ecx, 1000
        div rcx
        ret

        entry 17                    # std::random_device: a number of 32 bits
        jmp draw
9:      jmp device

        .balign 128, 0xcc
pass:   # jump to what dlsym(RTLD_NEXT, name) or dlvsym finds, with the arguments as they are
        mov rax, [r11]
        test rax, rax
        jne 1f
        push rdi
        push rsi
        push rdx
        push rcx
        push r11
        mov rdi, -1
        mov rsi, r10
        lea rdx, [r10 + 32]
        cmp byte ptr [rdx], 0
        je 2f
        call [rip + dlvsym]
        jmp 3f
2:      call [rip + dlsym]
3:
        pop r11
        pop rcx
        pop rdx
        pop rsi
        pop rdi
        mov [r11], rax
        test rax, rax
        je 4f
1:      jmp rax
4:      or rax, -1
        ret

ticked: # nanoseconds
        mov eax, 1000000
        xadd [rip + wall], rax
        ret

now:    # seconds, and nanoseconds in rdx
        call ticked
        xor edx, edx
        mov ecx, 1000000000
        div rcx
        ret

told:   # now, in a struct timespec
        call now
        mov [rsi], rax
        mov [rsi + 8], rdx
        xor eax, eax
        ret

later:  # the time at r9 by the true clock, to where the caller's stack ends
        mov r10, [r9]
        mov r9, [r9 + 8]
        call clock
        sub rax, [rip + wall]
        imul r10, r10, 1000000000
        add rax, r10
        add rax, r9
        xor edx, edx
        mov ecx, 1000000000
        div rcx
        mov [rsp + 8], rax
        mov [rsp + 16], rdx
        ret

draw:   # 64 random bits
        movabs rax, 0x9e3779b97f4a7c15
        add rax, [rip + seed]
        mov [rip + seed], rax
        mov rcx, rax
        shr rcx, 30
        xor rax, rcx
        movabs rcx, 0xbf58476d1ce4e5b9
        imul rax, rcx
        mov rcx, rax
        shr rcx, 27
        xor rax, rcx
        movabs rcx, 0x94d049bb133111eb
        imul rax, rcx
        mov rcx, rax
        shr rcx, 31
        xor rax, rcx
        ret

fill:   # rsi random bytes at rdi
        test rsi, rsi
        je 1f
        call draw
        mov [rdi], al
        inc rdi
        dec rsi
        jmp fill
1:      ret

clock:  # true nanoseconds, by clock_gettime of the system
        sub rsp, 24
        mov eax, 228
        xor edi, edi
        mov rsi, rsp
        syscall
        imul rax, [rsp], 1000000000
        add rax, [rsp + 8]
        add rsp, 24
        ret

device: # truly random, by getrandom of the system
        sub rsp, 24
        mov eax, 318
        mov rdi, rsp
        mov esi, 8
        xor edx, edx
        syscall
        mov eax, [rsp]
        add rsp, 24
        ret

        .balign 128, 0xcc
names:  # of the functions to look up, with a version for one that comes in two, 48 bytes each; the first is none
        .macro name text, version=
1:      .asciz "\text"
        .org 1b + 32
        .asciz "\version"
        .org 1b + 48
        .endm
        name
        name time
        name gettimeofday
        name clock_gettime
        name timespec_get
        name ftime
        name getrandom
        name getentropy
        name arc4random
        name arc4random_buf
        name arc4random_uniform
        name pthread_cond_timedwait, GLIBC_2.3.2
        name pthread_cond_clockwait
        name pthread_mutex_timedlock
        name sem_timedwait
